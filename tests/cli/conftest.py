from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import s3fs
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression
from tests.aws.conftest import (  # noqa: F401 - fixtures of the adapters, for their commands
    archive,
    descriptions_are_read_once,
    gateway,
    runtime,
)

from clientela.aws_settings import AwsSettings
from clientela.cli.main import cli
from clientela.features.columns import InputField
from clientela.models.stored_model import StoredModel, get_library_versions
from clientela.registry.manifest import Example, ServedManifest
from clientela.registry.model_registry import RegisteredModel, Submission
from clientela.registry.package import build_package
from clientela.registry.sagemaker_registry import SageMakerRegistry
from clientela.storage import compute_sha256

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/challenge-preauth-role"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/clientela:1"
GROUP = "credit-payment-champion"
EXPECTED = 0.25


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, project_root: Any) -> Callable[..., Result]:
    """Runs a command of `clientela` in the project, with an account on paper in the variables."""
    monkeypatch.chdir(project_root)
    monkeypatch.setenv("CLIENTELA_EXECUTION_ROLE", ROLE)
    monkeypatch.setenv("CLIENTELA_IMAGE", IMAGE)
    monkeypatch.setenv("CLIENTELA_PIPELINE_IMAGE", IMAGE.replace("clientela", "clientela-pipeline"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--env=aws"])

    return run


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A machine that knows no AWS account, and a server that must not be asked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BUCKET", "prueba-ml-dmelendez")


@pytest.fixture
def s3_afresh() -> Iterator[None]:
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def small_package() -> tuple[bytes, ServedManifest]:
    """A fitted model of one number, as a package."""
    draw = np.random.default_rng(2)
    rows = pd.DataFrame({"salario_cliente": draw.normal(size=80)})
    estimator = LogisticRegression().fit(rows, rows["salario_cliente"] > 0)
    account = {
        "candidate": "logistica",
        "features": ["salario_cliente"],
        "training_rows": 80,
        "training_data_sha256": "cd" * 32,
        "versions": get_library_versions(),
    }
    told = {
        "use_case": "credit_payment",
        "role": "champion",
        "group": GROUP,
        "task": "binary",
        "problem_type": "binary_classification",
        "fields": (InputField(name="salario_cliente", kind="number", required=True),),
        "classes": ("no_paga", "paga"),
        "target": {"no_paga": 0, "paga": 1},
        "score_name": "probabilidad",
        "example": Example(case={"salario_cliente": 1.0}, label="no_paga", expected=EXPECTED),
    }
    return build_package(StoredModel(estimator, account), told)


@pytest.fixture
def register(
    gateway: Any,  # noqa: F811 - a fixture
    bucket: str,
    s3_afresh: None,
) -> Callable[[bytes, ServedManifest], RegisteredModel]:
    """Stores and registers a package of credit_payment as the deployment stage does: pending."""
    registry = SageMakerRegistry(AwsSettings(bucket=bucket, execution_role=ROLE, image=IMAGE))

    def registered(content: bytes, manifest: ServedManifest) -> RegisteredModel:
        folder = f"s3://{bucket}/models/credit_payment/packages"
        address = f"{folder}/champion-{manifest.version}.tar.gz"
        with s3fs.S3FileSystem().open(address, "wb") as file:
            file.write(content)
        return registry.register(
            Submission(
                group=GROUP,
                use_case="credit_payment",
                role="champion",
                version=manifest.version,
                package=address,
                package_sha256=compute_sha256(content),
                prebuilt=None,
                metrics=None,
                grades={},
                description="credit_payment, champion.",
                problem_type=manifest.problem_type,
                training_data_sha256="cd" * 32,
            )
        )

    return registered


@pytest.fixture
def approved(
    register: Callable[[bytes, ServedManifest], RegisteredModel],
    small_package: tuple[bytes, ServedManifest],
    command: Callable[..., Result],
) -> RegisteredModel:
    """A registered model of credit_payment that a person approved."""
    entry = register(*small_package)
    run = command("approve", "credit_payment", "--yes", "--reason", "revisado")
    assert run.exit_code == 0, run.output
    return entry
