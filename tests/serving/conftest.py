import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving.models import PlainScorer, publish
from tests.serving.running import Running, running


@pytest.fixture(scope="session", autouse=True)
def plain_scorer() -> Iterator[None]:
    """Packages of these tests answer by a formula that the tests can repeat."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clientela.serving.loading.scorer_of", PlainScorer)
        yield


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models that nobody changes."""
    folder = tmp_path_factory.mktemp("served")
    publish(folder)
    publish(folder, "customer_segments")
    return folder


@pytest.fixture(scope="session")
def api(served: Path) -> Iterator[Running]:
    """A server with both models and no token, on loopback."""
    with running(served=str(served)) as server:
        yield server


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found
