"""What tests need that open a page in the browser: a server that answers, and the browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PATIENCE = 120
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--no-first-run"]


def free_port(ports: range) -> int:
    """The first port of a range on which nobody answers."""
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError(f"no free port among {ports}")


@contextmanager
def serving(
    words: list[str], folder: Path, variables: Mapping[str, str], answering: str, log: Path
) -> Iterator[None]:
    """Runs a Python command in a folder for as long as it is needed, once an address answers."""
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=dict(variables),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for(answering, server, log)
        yield
    finally:
        # the process that answers may be a child of the command
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and server.poll() is None:
        try:
            with urlopen(address):  # noqa: S310 - loopback
                return
        except URLError:
            time.sleep(0.2)
    raise AssertionError(f"{address} did not answer: {log.read_text()}")
