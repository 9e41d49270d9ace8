"""Runs the application on uvicorn."""

import logging.config
import os
import tempfile
from collections.abc import Mapping
from typing import Any, Final

import uvicorn

from clientela.serving.access import with_token
from clientela.serving.logs import CONFIG
from clientela.serving.observed import FOLDER
from clientela.serving.protocol import BoundedProtocol
from clientela.serving.settings import PREFIX, ServingSettings, variable

APPLICATION: Final = "clientela.serving.app:from_environment"
BACKLOG: Final = 2048
WORKER_SECONDS: Final = 60
"""Until a worker has to give a sign of life. Five, uvicorn's own, are fewer than a busy machine
takes to import the application: its workers would be replaced for ever, and never answer."""


def serve(settings: ServingSettings) -> None:
    """Serve until the process is told to stop; requests in flight are answered first.

    Args:
        settings: Of the API.

    Raises:
        ConfigurationError: A setting can't be followed.
    """
    settings = with_token(settings)
    # workers read them anew, in processes of their own
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(_environment(settings))
    logging.config.dictConfig(CONFIG)
    if settings.workers == 1:
        uvicorn.Server(uvicorn.Config(**options(settings))).run()
        return
    with tempfile.TemporaryDirectory(prefix="clientela-metrics-") as folder:
        os.environ.setdefault(FOLDER, folder)
        uvicorn.run(**options(settings), workers=settings.workers)


def options(settings: ServingSettings) -> dict[str, Any]:
    """How uvicorn runs the application.

    Args:
        settings: Of the API.

    Returns:
        Arguments of `uvicorn.Config`.
    """
    BoundedProtocol.head_seconds = settings.head_seconds
    return {
        "app": APPLICATION,
        "factory": True,
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "on",
        "log_config": CONFIG,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "backlog": BACKLOG,
        "limit_concurrency": settings.connections,
        "timeout_graceful_shutdown": settings.grace_seconds,
        "timeout_worker_healthcheck": WORKER_SECONDS,
    }


def _environment(settings: ServingSettings) -> Mapping[str, str]:
    """The settings as the variables that they are read from."""
    plain = settings.model_dump(exclude_none=True)
    return {
        variable(name): value.get_secret_value()
        if hasattr(value, "get_secret_value")
        else str(value)
        for name, value in plain.items()
    }
