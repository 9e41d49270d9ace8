"""A real server on loopback, in a thread of the test's process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from clientela.registry.package import PublishedModelStore
from clientela.serving.app import create_app, get_uvicorn_options
from clientela.serving.service import Service
from clientela.serving.settings import ServingSettings

MOST_SECONDS = 30


@dataclass
class Running:
    """A server, and a client that keeps its connections."""

    service: Service
    server: uvicorn.Server
    port: int
    client: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reload_models(self) -> None:
        """Has the store looked at now."""
        self.service.reloader.reload_models()


@contextmanager
def running(**settings: Any) -> Iterator[Running]:
    given = {"port": 0, "poll_seconds": 3600.0, **settings}
    known = ServingSettings.model_validate(given)
    store = None if known.served is None else PublishedModelStore(known.served)
    service = Service(known, store)
    changed = {"app": create_app(service), "factory": False, "log_config": None}
    server = uvicorn.Server(uvicorn.Config(**get_uvicorn_options(known) | changed))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started or not thread.is_alive())
    assert server.started, "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"authorization": f"Bearer {known.token.get_secret_value()}"} if known.token else {}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            yield Running(service, server, port, client)
    finally:
        server.should_exit = True
        thread.join(MOST_SECONDS)
        assert not thread.is_alive(), "the server did not stop"


def answers(port: int) -> bool:
    """Whether the server there is ready."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition: Any, seconds: float = MOST_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
