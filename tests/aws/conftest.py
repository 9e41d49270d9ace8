import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.aws.gateway import Gateway, started
from tests.aws.served import Archive, native_archive

from clientela.aws_clients import Clients
from clientela.aws_settings import AwsSettings, parse_aws_settings
from clientela.registry.model_registry import Submission

ACCOUNT = "123456789012"
GROUP = "xgboost-ordinal-tecnologia"


@pytest.fixture(scope="session", autouse=True)
def descriptions_are_read_once() -> Iterator[None]:
    """One reader of AWS's descriptions for all tests: SageMaker's takes a second each time."""
    from botocore import loaders, session

    shared = loaders.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", lambda *_: shared)
        patch.setattr(loaders, "create_loader", lambda *_: shared)
        yield


@pytest.fixture
def gateway(
    object_store: dict[str, str], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gateway]:
    """An empty AWS on loopback behind a gateway, to which this process's variables lead."""
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    made, server = started(object_store["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
    emptied()
    yield made
    made.ended.set()
    server.shutdown()
    server.server_close()


def emptied() -> None:
    """Forgets what other tests made in SageMaker and the scheduler; buckets stay."""
    from moto.backends import get_backend

    for service in ("sagemaker", "scheduler"):
        get_backend(service)[ACCOUNT].reset()


def shipped_roots(project_root: Path, bucket: str) -> dict[str, str]:
    """The roots of the environment `aws`, as if BUCKET named a bucket."""
    text = (project_root / "conf/aws/globals.yml").read_text("utf-8")
    roots: dict[str, str] = yaml.safe_load(text.replace("${oc.env:BUCKET}", bucket))
    return roots


@pytest.fixture
def settings(project_root: Path, bucket: str) -> AwsSettings:
    return parse_aws_settings(
        {
            "bucket": bucket,
            "execution_role": f"arn:aws:iam::{ACCOUNT}:role/challenge-preauth-role",
            "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/clientela:1",
            "connection": {"connect_seconds": 2, "read_seconds": 2, "attempts": 2},
            "endpoints": {"poll_seconds": 0.01, "wait_minutes": 0.1},
        },
        shipped_roots(project_root, bucket),
    )


@pytest.fixture
def clients(settings: AwsSettings, gateway: Gateway) -> Clients:
    return Clients(settings)


@pytest.fixture(scope="session")
def archive() -> Archive:
    """A small native model in the form of the prebuilt container."""
    return native_archive()


@pytest.fixture
def submission(
    bucket: str, aws_client: Callable[[str], Any], archive: Archive
) -> Callable[..., Submission]:
    """Makes a submission whose files lie in the bucket: `submission(version="a" * 12)`."""

    def make(**changes: Any) -> Submission:
        version = changes.get("version", "0123456789ab")
        folder = f"s3://{bucket}/models/purchase_intensity/packages"
        fields: dict[str, Any] = {
            "group": GROUP,
            "use_case": "purchase_intensity",
            "role": "required",
            "version": version,
            "package": f"{folder}/required-{version}.tar.gz",
            "package_sha256": "ab" * 32,
            "prebuilt": f"{folder}/required-{version}-prebuilt.tar.gz",
            "metrics": f"{folder}/required-{version}-metrics.json",
            "grades": {"qwk": 0.4412345678, "mae_class": 0.7},
            "description": "Regresión ordinal: QWK 0.44 en prueba; la mejor regla, 0.40.",
            "problem_type": "Regresión ordinal",
            "training_data_sha256": "cd" * 32,
        } | changes
        for address in (fields["package"], fields["prebuilt"], fields["metrics"]):
            if address is not None:
                key = address.removeprefix(f"s3://{bucket}/")
                content = archive.content if address == fields["prebuilt"] else b"{}"
                aws_client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return Submission(**fields)

    return make


Answers = Callable[[str, str, bytes], tuple[int, bytes]]


@dataclass
class Runtime:
    """Endpoints on loopback: they answer as the packaged model would, until told otherwise."""

    right: Answers
    answers: Answers
    url: str = ""
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def runtime(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    def right(*_: object) -> tuple[int, bytes]:
        return 200, archive.answer

    made = Runtime(right, right)

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def do_POST(self) -> None:
            name = self.path.split("/")[2]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = str(self.headers["Content-Type"])
            made.asked.append((name, kind, body))
            status, answer = made.answers(name, kind, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", made.url)
    yield made
    server.shutdown()
    server.server_close()


def predictions(score_name: str, value: float) -> bytes:
    """A JSON answer in the form of our own container."""
    return json.dumps({"predictions": [{score_name: value}]}).encode()
