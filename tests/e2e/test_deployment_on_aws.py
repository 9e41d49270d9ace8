"""From a trained model to a file of answers on AWS, by the commands of the documentation.

S3 and SageMaker are a stand-in on loopback; what answers for the endpoint is our own server,
started as SageMaker starts the container, with the package that the registry names.
"""

import io
import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project
from tests.e2e.conftest import reached_by
from tests.e2e.test_object_store import LAYERS
from tests.serving.running import answers, wait_for

from clientela.cli.kedro_run import run as kedro_run
from clientela.cli.main import cli

pytestmark = pytest.mark.slow

USE_CASE = "customer_churn"
ENDPOINT = "clientela-customer-churn"
ACCOUNT = "123456789012"
SECONDS = 120


@pytest.fixture(scope="module")
def account(object_store: Mapping[str, str]) -> dict[str, str]:
    """The variables that docs/deployment.md asks for."""
    registry = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    return {
        **object_store,
        "BUCKET": "una-tienda-desplegada",
        "CLIENTELA_EXECUTION_ROLE": f"arn:aws:iam::{ACCOUNT}:role/clientela",
        "CLIENTELA_IMAGE": f"{registry}/clientela:1",
    }


@pytest.fixture(scope="module")
def trained(finished: Path, account: Mapping[str, str], aws_client: Callable[..., Any]) -> str:
    """A bucket in which every stage up to training has run."""
    s3, bucket = aws_client("s3"), account["BUCKET"]
    s3.create_bucket(Bucket=bucket)
    for place, layer in LAYERS.items():
        for path in sorted((finished / "data" / layer).rglob("*")):
            key = f"{place}/{path.relative_to(finished / 'data' / layer).as_posix()}"
            if path.is_file() and (f"/{USE_CASE}/" in key or "visitors" in key):
                s3.upload_file(str(path), bucket, key)
    return bucket


@pytest.fixture
def run(
    project_root: Path, finished: Path, account, trained, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs a command of the console: `run(cli, "status", …)`."""
    bootstrap_project(project_root)
    monkeypatch.chdir(project_root)
    where = ("--env=aws", f"--conf-source={finished / 'conf'}")

    def command(program: click.Command, *words: str, **more: str) -> Result:
        with reached_by({**account, **more}):
            return CliRunner().invoke(program, [*words, *where], env={"COLUMNS": "200"})

    return command


@pytest.fixture
def container(
    registered: dict[str, Any],
    aws_client: Callable[..., Any],
    tmp_path: Path,
) -> Iterator[str]:
    """Our server as SageMaker starts it, with the champion's package unpacked; its address."""
    bucket, _, key = registered["champion"]["package"].removeprefix("s3://").partition("/")
    package = aws_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        archive.extractall(tmp_path / "model", filter="data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"SAGEMAKER_BIND_TO_PORT": str(port), "CLIENTELA_API_MODEL": str(tmp_path / "model")}
    command = [sys.executable, "-m", "clientela.serving", "serve"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=dict(os.environ) | settings, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(lambda: answers(port) or server.poll() is not None, SECONDS)
            assert server.poll() is None, "the server ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture
def registered(run, aws_client, trained: str) -> dict[str, Any]:
    """What the deployment stage registered, by role."""
    done = run(kedro_run, "--pipelines=deployment", f"--namespaces={USE_CASE}")
    assert done.exit_code == 0, done.output
    key = f"models/{USE_CASE}/packages/registered.json"
    stored = aws_client("s3").get_object(Bucket=trained, Key=key)["Body"].read()
    return dict(json.loads(stored))


def test_a_trained_model_is_registered_approved_deployed_and_asked(
    run, registered, container, aws_client, finished, trained, tmp_path
):
    groups = aws_client("sagemaker").list_model_packages(
        ModelPackageGroupName=registered["champion"]["group"]
    )
    (entry,) = groups["ModelPackageSummaryList"]
    assert entry["ModelApprovalStatus"] == "PendingManualApproval"

    done = run(cli, "deploy", USE_CASE)
    assert done.exit_code == 1
    assert "clientela approve customer_churn --env=aws" in done.output

    done = run(cli, "approve", USE_CASE, "--yes")
    assert done.exit_code == 0, done.output

    reached = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": container}
    done = run(cli, "deploy", USE_CASE, **reached)
    assert done.exit_code == 0, done.output
    found = aws_client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    assert found["EndpointStatus"] == "InService"

    people = pd.read_csv(finished / "data/01_raw/customer_churn/wifi.csv").head(3)
    people.drop(columns="churn").to_csv(tmp_path / "people.csv", index=False)
    words = ("--input", str(tmp_path / "people.csv"), "--endpoint", ENDPOINT)
    done = run(cli, "invoke", *words, **reached)
    assert done.exit_code == 0, done.output
    assert len(records_in(aws_client("s3"), trained)) == len(people)


def records_in(s3: Any, bucket: str) -> list[dict[str, Any]]:
    """The records of the one file of results in the bucket."""
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix="outputs/results/")["Contents"]
    return list(json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()))
