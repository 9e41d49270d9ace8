"""The application: FastAPI around a service, and how uvicorn runs it."""

import logging.config
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clientela.registry.published_models import PublishedModelStore
from clientela.serving import openapi, routes
from clientela.serving.auth import ensure_token
from clientela.serving.errors import ApiError
from clientela.serving.http_limits import BoundedProtocol
from clientela.serving.observability import CONFIG, FOLDER, AccessLog, RequestMiddleware
from clientela.serving.service import Service
from clientela.serving.settings import (
    PREFIX,
    ServingSettings,
    get_variable_name,
    load_serving_settings,
)

ABOUT: Final = (
    "Predictions of the approved models, and the segments of customers. The model informs; a "
    "person decides. No reply and no log repeats what a request held."
)
NOT_ALLOWED: Final = 405

APPLICATION: Final = "clientela.serving.app:create_app_from_environment"
BACKLOG: Final = 2048
WORKER_SECONDS: Final = 60
"""Until a worker has to give a sign of life. Five, uvicorn's own, are fewer than a busy machine
takes to import the application: its workers would be replaced for ever, and never answer."""


def create_app_from_environment() -> FastAPI:
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
        # `openapi.documents` has both, with the files of Swagger UI
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        exception_handlers={
            ApiError: _handle_api_error,
            HTTPException: _handle_http_error,
            RequestValidationError: _handle_invalid_request,
        },
    )
    app.state.service = service
    _include_routers(app, service)
    app.add_middleware(RequestMiddleware, metrics=service.metrics, log=AccessLog())
    _document_served_models(app, service)
    return app


def _include_routers(app: FastAPI, service: Service) -> None:
    closed, settings = [Depends(service.guards.closed)], service.settings
    opened = [Depends(service.guards.open)]
    app.include_router(routes.predictions, dependencies=closed)
    app.include_router(routes.models, dependencies=closed)
    if service.segments is not None:
        app.include_router(routes.segments, dependencies=closed)
    app.include_router(routes.health, dependencies=opened)
    app.include_router(routes.metrics, dependencies=opened if settings.open_metrics else closed)
    app.include_router(openapi.documents, dependencies=opened if settings.open_docs else closed)


def _document_served_models(app: FastAPI, service: Service) -> None:
    """Has the document describe the models that are served when it is asked for."""
    latest: tuple[Any, dict[str, Any]] = (None, {})

    def get_document() -> dict[str, Any]:
        nonlocal latest
        models = service.models.by_use_case
        if latest[0] is not models:
            latest = models, openapi.build_openapi(app, service)
        return latest[1]

    app.openapi = get_document  # type: ignore[method-assign]


async def _handle_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - it is registered for this type
    info = request.state.info
    info.code = error.code
    return error.to_response(info.request_id)


async def _handle_http_error(request: Request, error: Exception) -> Response:
    """What Starlette refuses, in the form of all refusals; no stranger learns which routes are."""
    assert isinstance(error, HTTPException)  # noqa: S101 - likewise
    words = "No such route." if error.status_code != NOT_ALLOWED else "Not by this method."
    refusal = ApiError(error.status_code, "no_route", words, headers=error.headers)
    try:
        await request.app.state.service.guards.closed(request)
    except ApiError as err:
        refusal = err
    return await _handle_api_error(request, refusal)


async def _handle_invalid_request(request: Request, _error: Exception) -> Response:
    """What FastAPI refuses, without what came."""
    refusal = ApiError(422, "wrong_path", "The path or the query can't be like this.")
    return await _handle_api_error(request, refusal)


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
    options = get_uvicorn_options(settings)
    if settings.workers == 1:
        uvicorn.Server(uvicorn.Config(**options)).run()
        return
    with tempfile.TemporaryDirectory(prefix="clientela-metrics-") as folder:
        os.environ.setdefault(FOLDER, folder)
        uvicorn.run(**options, workers=settings.workers)


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
    values = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings.model_dump(exclude_none=True).items()
    }
    return {get_variable_name(name): str(value) for name, value in values.items()}
