"""The whole way on loopback: registry and bucket of moto, and our own server as the endpoint."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving.models import PlainScorer, packaged, publish_bytes
from tests.serving.running import running

NAME = "clientela-credit-payment"


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Our server as what answers `invoke_endpoint`; it serves what lies in the folder."""
    monkeypatch.setattr("clientela.serving.model_store.build_scorer", PlainScorer)
    content, manifest = packaged()
    publish_bytes(tmp_path, content, manifest)
    with running(served=str(tmp_path)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", server.url)
        yield tmp_path


def approve(register, command, model):
    entry = register(*model)
    run = command("approve", "credit_payment", "--yes")
    assert run.exit_code == 0, run.output
    return entry


def test_what_is_approved_is_deployed_answers_and_gives_way_to_nothing_worse(
    register, command, container, aws_client
):
    good = packaged()
    approve(register, command, good)
    run = command("deploy", "credit_payment")
    assert run.exit_code == 0, run.output
    assert f"answers the example of its package with {good[1].example.expected:.6f}" in run.output
    first = aws_client("sagemaker").describe_endpoint(EndpointName=NAME)["EndpointConfigName"]

    # the container answers as the good one does, and this package promises something else
    approve(register, command, packaged(expected=0.123))
    run = command("deploy", "credit_payment")
    assert run.exit_code == 1
    assert "should answer 0.123000" in run.output
    assert f"runs {first} again, as before" in run.output
    found = aws_client("sagemaker").describe_endpoint(EndpointName=NAME)
    assert (found["EndpointConfigName"], found["EndpointStatus"]) == (first, "InService")
