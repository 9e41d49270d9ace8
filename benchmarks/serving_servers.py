"""The servers that are compared, each in processes of its own, on a free port of loopback."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from socket import socket

HERE = Path(__file__).parent
START_SECONDS = 120
STOP_SECONDS = 60
OURS, PLAIN = "Clientela", "FastAPI + pandas + Pipeline"
OK = 200


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        port: Where it listens.
        pid: Of its first process.
    """

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """CPU time of the first process so far; NaN where the system does not tell.

        Unlike time on the clock it hardly depends on what else the machine does.
        """
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return math.nan
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(server: str, folder: Path, workers: int) -> Iterator[Server]:
    """A server that answers.

    Args:
        server: `OURS` or `PLAIN`.
        folder: Where the model lies.
        workers: Processes.

    Yields:
        Its port and its process.
    """
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, variables = _started_by(server, folder, str(port), str(workers))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *command],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def probabilities(port: int, body: bytes) -> list[float]:
    """What a server says of some cases.

    Args:
        port: Where it listens.
        body: The cases, as JSON.

    Returns:
        The score of each.
    """
    with closing(HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)) as connection:
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        predictions = json.loads(connection.getresponse().read())["predictions"]
    return [prediction["probabilidad"] for prediction in predictions]


def _started_by(
    server: str, folder: Path, port: str, workers: str
) -> tuple[list[str], dict[str, str]]:
    if server == PLAIN:
        options = ["--app-dir", str(HERE), "--port", port, "--workers", workers]
        model = {"MODEL": str(folder / "pipeline.joblib")}
        return ["uvicorn", "variants.plain_fastapi:app", *options], model
    settings = {"SERVED": str(folder / "served"), "PORT": port, "WORKERS": workers}
    variables = {f"CLIENTELA_API_{name}": value for name, value in settings.items()}
    return ["clientela.serving"], variables


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                connection.request("GET", "/ping")
                if connection.getresponse().status == OK:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
