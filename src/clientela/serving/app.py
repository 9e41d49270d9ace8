"""The application: FastAPI around a service."""

import logging.config
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clientela.registry.published_models import PublishedModelStore
from clientela.serving.auth import ensure_token
from clientela.serving.errors import ApiError
from clientela.serving.http_limits import BoundedProtocol
from clientela.serving.middleware import SEEN, RequestMiddleware
from clientela.serving.observability import CONFIG, FOLDER, AccessLog
from clientela.serving.openapi import build_openapi
from clientela.serving.routes import InvocationsRoute, PredictRoute, create_router
from clientela.serving.service import Service
from clientela.serving.settings import (
    PREFIX,
    ServingSettings,
    get_variable_name,
    load_serving_settings,
)

# The application: FastAPI around a service.


ABOUT: Final = (
    "Predictions of the approved models, and the segments of customers. The model informs; a "
    "person decides. No reply and no log repeats what a request held."
)
NOT_ALLOWED: Final = 405


def from_environment() -> FastAPI:
    """The application that the variables of the environment describe, for each worker."""
    settings = load_serving_settings(os.environ)
    store = None if settings.served is None else PublishedModelStore(settings.served)
    return create_app(Service(settings, store))


def create_app(service: Service) -> FastAPI:
    """The application around a service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        # so that nobody waits for it
        app.openapi()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="Clientela API",
        description=ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        exception_handlers={
            HTTPException: _handle_http_error,
            RequestValidationError: _handle_http_error,
        },
    )
    app.router.routes[:0] = _make_predict_routes(service)
    app.include_router(create_router(service))
    _set_openapi(app, service)
    app.add_middleware(
        RequestMiddleware, access=service.access, observed=service.observed, log=AccessLog()
    )
    return app


def _make_predict_routes(service: Service) -> list[Route]:
    """First, since routes are tried in their order."""
    ways = (
        ("/predict", PredictRoute, service.resolve_default),
        ("/models/{use_case}/predict", PredictRoute, service.resolve_by_use_case),
        ("/invocations", InvocationsRoute, service.resolve_default),
        # so that a SageMaker client can be pointed here
        ("/endpoints/{name}/invocations", InvocationsRoute, service.resolve_by_endpoint),
    )
    return [
        Route(path, kind(path, chosen, service.predicting, service.settings), methods=["POST"])
        for path, kind, chosen in ways
    ]


def _set_openapi(app: FastAPI, service: Service) -> None:
    """Has the document describe the models that are served when it is asked for."""
    written = app.openapi
    last: tuple[Any, dict[str, Any]] = (None, {})

    def document() -> dict[str, Any]:
        nonlocal last
        models = service.shelf.models
        if last[0] is not models:
            default, most = service.get_default_or_none(), service.settings.largest_batch
            token = service.access.has_token
            last = models, build_openapi(written(), models, default, most, token=token)
        return last[1]

    app.openapi = document  # type: ignore[method-assign]


async def _handle_http_error(request: Request, error: Exception) -> Response:
    """What FastAPI and Starlette refuse, in the form of all refusals and without what came."""
    if isinstance(error, HTTPException):
        words = "No such route." if error.status_code != NOT_ALLOWED else "Not by this method."
        refusal = ApiError(error.status_code, "no_route", words, headers=error.headers)
    else:
        refusal = ApiError(422, "wrong_path", "The path or the query can't be like this.")
    seen = request.scope[SEEN]
    seen.code = refusal.code
    headers = {**refusal.headers, "content-type": "application/json"}
    return Response(refusal.body(seen.request_id), refusal.status, headers)


# Runs the application on uvicorn.


APPLICATION: Final = "clientela.serving.app:from_environment"
BACKLOG: Final = 2048
WORKER_SECONDS: Final = 60
"""Until a worker has to give a sign of life. Five, uvicorn's own, are fewer than a busy machine
takes to import the application: its workers would be replaced for ever, and never answer."""


def serve(settings: ServingSettings) -> None:
    """Serve until the process is told to stop; requests in flight are answered first.

    Raises:
        ConfigurationError: A setting can't be followed.
    """
    settings = ensure_token(settings)
    # workers read them anew, in processes of their own
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(_format_environment(settings))
    logging.config.dictConfig(CONFIG)
    if settings.workers == 1:
        uvicorn.Server(uvicorn.Config(**get_uvicorn_options(settings))).run()
        return
    with tempfile.TemporaryDirectory(prefix="clientela-metrics-") as folder:
        os.environ.setdefault(FOLDER, folder)
        uvicorn.run(**get_uvicorn_options(settings), workers=settings.workers)


def get_uvicorn_options(settings: ServingSettings) -> dict[str, Any]:
    """How uvicorn runs the application."""
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


def _format_environment(settings: ServingSettings) -> Mapping[str, str]:
    """The settings as the variables that they are read from."""
    plain = settings.model_dump(exclude_none=True)
    return {
        get_variable_name(name): value.get_secret_value()
        if hasattr(value, "get_secret_value")
        else str(value)
        for name, value in plain.items()
    }
