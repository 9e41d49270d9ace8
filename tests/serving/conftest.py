import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from tests.serving.models import PlainScorer, publish
from tests.serving.running import Running, running

SERVER = """
    import os, sys, time
    import clientela.serving.model_store
    from clientela.serving.__main__ import main
    from tests.serving.models import PlainScorer

    class Slow(PlainScorer):
        def answers(self, columns):
            if len(columns["salario_cliente"]) > 100:
                print("asked", flush=True)
                time.sleep(float(sys.argv[1]))
            return super().answers(columns)

    # workers are processes that read this file anew
    clientela.serving.model_store.build_scorer = Slow
    if __name__ == "__main__":
        sys.exit(main([], os.environ))
"""


@pytest.fixture(scope="session", autouse=True)
def plain_scorer() -> Iterator[None]:
    """Packages of these tests answer by a formula that the tests can repeat."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clientela.serving.model_store.build_scorer", PlainScorer)
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


@pytest.fixture
def process(
    project_root: Path, served: Path, port: int, tmp_path: Path
) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts the API in a process of its own: `process(workers=2)`, with settings of the API.

    What computes more than a hundred cases says so, and takes `slow` seconds.
    """
    script = tmp_path / "server.py"
    script.write_text(textwrap.dedent(SERVER), "utf-8")

    def start(
        slow: float = 0.0, output: int | IO[str] = subprocess.PIPE, **settings: Any
    ) -> "subprocess.Popen[str]":
        given = {"served": served, "port": port, **settings}
        variables = {f"CLIENTELA_API_{name.upper()}": str(value) for name, value in given.items()}
        paths = os.pathsep.join([str(project_root / "src"), str(project_root)])
        return subprocess.Popen(
            [sys.executable, script, str(slow)],
            env={**os.environ, **variables, "PYTHONPATH": paths},
            stdout=output,
            stderr=output,
            text=True,
        )

    return start
