import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer
from tests.registry.loans import USE_CASES, UseCase, served

from clientela.models.stored_model import StoredModel
from clientela.registry.model_registry import MlflowRegistry, Submission
from clientela.registry.scorers import CompiledScorer, build_scorer


@pytest.fixture
def mlflow_registry(empty_registry: Path, tmp_path: Path) -> MlflowRegistry:
    """A registry of its own, whose database is made already: that alone takes seconds."""
    return MlflowRegistry(f"sqlite:///{shutil.copy(empty_registry, tmp_path / 'mlflow.db')}")


@pytest.fixture
def submission() -> Callable[..., Submission]:
    """A model on its way into a registry, with changes."""

    def made(**changes: object) -> Submission:
        fields = {
            "group": "credit-payment-champion",
            "use_case": "credit_payment",
            "role": "champion",
            "version": "0123456789ab",
            "package": "/models/champion-0123456789ab.tar.gz",
            "package_sha256": "a" * 64,
            "prebuilt": None,
            "metrics": "/models/champion-0123456789ab-metrics.json",
            "grades": {"roc_auc": 0.7},
            "description": "credit_payment, champion; roc_auc 0.700.",
            "problem_type": "binary_classification",
            "training_data_sha256": "b" * 64,
        }
        return Submission(**{**fields, **changes})  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """Address of an S3 on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An empty folder for files, on each kind of storage."""
    if request.param == "folder":
        yield str(tmp_path / "served")
        return
    if request.param == "memory":
        yield f"memory://{tmp_path.name}/served"
        return
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("object_store"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # file systems remember the account that they were made with
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = f"tienda-{tmp_path.name.replace('_', '-').lower()}"[:60].rstrip("-")
    s3fs.S3FileSystem().mkdir(bucket)
    yield f"s3://{bucket}/models/served"
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def use_case() -> Callable[[str], UseCase]:
    return cache(lambda name: USE_CASES[name]())


@pytest.fixture(scope="session")
def learned(use_case: Callable[[str], UseCase]) -> Callable[[str, str], StoredModel]:
    """A candidate of a use case, fitted once."""
    return cache(lambda name, candidate: use_case(name).fitted(candidate))


@pytest.fixture(scope="session")
def scorer(
    use_case: Callable[[str], UseCase], learned: Callable[[str, str], StoredModel]
) -> Callable[[str, str], CompiledScorer]:
    """The scorer of a candidate, through its package."""

    def made(name: str, candidate: str) -> CompiledScorer:
        asked = use_case(name)
        return build_scorer(served(learned(name, candidate), asked.fields, asked.params))

    return cache(made)
