"""The application around a service: routers, OpenAPI document, Swagger UI, and uvicorn."""

import asyncio
import hashlib
import logging.config
import os
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import as_file, files
from typing import Annotated, Any, Final, Literal

import orjson
import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from clientela.registry.package import PublishedModelStore
from clientela.serving import routes
from clientela.serving.auth import ApiError, ensure_token
from clientela.serving.model_store import LoadedModel
from clientela.serving.observability import CONFIG, FOLDER, AccessLog, RequestMiddleware
from clientela.serving.routes import CSV, JSON, describe_errors
from clientela.serving.schemas import DATA, INSTANCES, build_reply_type
from clientela.serving.service import Service
from clientela.serving.settings import (
    PREFIX,
    ServingSettings,
    get_variable_name,
    load_serving_settings,
)

# The documentation of the API: the OpenAPI document, with the types of each model, and Swagger UI.
#
# The routes that predict are documented by routes that are never called, one per served model:
# FastAPI describes them from the same types that the requests are read with.


REFUSALS: Final = {
    "no_400": "The body can't be read.",
    "no_404": "No such model is served.",
    "no_408": "The body came too slowly.",
    "no_413": "The body is too large, or holds too many cases.",
    "no_415": "The body is of another type.",
    "no_422": "The cases break the fields of the model; problems says which and how.",
}
ABOUT_REASONS: Final = "Whether each prediction says why, in Spanish. Takes far longer."


def build_openapi(app: FastAPI, service: Service) -> dict[str, Any]:
    """The document of the routes, and of the models that are served now."""
    router = APIRouter(dependencies=[Depends(service.guards.closed)])
    for use_case, model in service.models.by_use_case.items():
        _document_predictions(router, model, f"/models/{use_case}/predict", f"predict_{use_case}")
    try:
        default = service.get_default_model()
    except ApiError:
        pass  # nothing answers /predict yet
    else:
        _document_predictions(router, default, "/predict", "predict")
        _document_invocations(router, default)
    return get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=[*router.routes, *app.routes],
    )


def _document_predictions(
    router: APIRouter, model: LoadedModel, path: str, operation_id: str
) -> None:
    manifest = model.manifest
    cases: Any = model.reader.bodies[DATA]

    @router.post(
        path,
        summary=f"Predictions of {manifest.use_case}",
        description=f"By the {manifest.role} model, version {manifest.version}. In the reply, "
        "imputed lists the fields for which a typical value stood in, and unseen those whose value "
        "the model did not learn from. A person decides.",
        operation_id=operation_id,
        response_model=build_reply_type(manifest),
        response_description="One prediction per case.",
        responses=describe_errors(**REFUSALS),
        tags=["predictions"],
    )
    def predict(
        body: Annotated[cases, Body()],
        reasons: Annotated[Literal["true", "false"], Query(description=ABOUT_REASONS)] = "false",
    ) -> None: ...


def _document_invocations(router: APIRouter, model: LoadedModel) -> None:
    manifest = model.manifest
    cases: Any = model.reader.bodies[DATA]
    instances: Any = model.reader.bodies[INSTANCES]
    values = [manifest.example.case.get(field.name) for field in manifest.fields]
    line = ",".join("" if value is None else str(value) for value in values)
    text = {"schema": {"type": "string", "minLength": 1, "description": f"Such as {line}"}}
    responses = describe_errors(**REFUSALS, no_406="No reply of that type can be given.")

    @router.post(
        "/invocations",
        summary="The same in the form of SageMaker's containers",
        description="CSV has one case per line: with a header, or in the order of the model's "
        "fields. The reply is of the type of the request, or of the one that `Accept` names.",
        operation_id="invocations",
        response_model=build_reply_type(manifest),
        response_description="One prediction per case.",
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}, **responses},
        openapi_extra={"requestBody": {"content": {CSV: text}}},
        tags=["SageMaker"],
    )
    def invoke(body: Annotated[cases | instances, Body()]) -> None: ...


documents = APIRouter(include_in_schema=False)

# Swagger UI comes from a package: from another host it would stay blank behind a firewall, and a
# foreign script would see the token that is typed in.
ASSETS: Final = files("fastapi_offline").joinpath("static")

ASSET_SECONDS: Final = 86_400


@documents.get("/openapi.json")
async def show_document(request: Request) -> Response:
    """The OpenAPI document."""
    return Response(orjson.dumps(request.app.openapi()), media_type=JSON)


@documents.get("/docs")
async def show_docs() -> Response:
    """Swagger UI, where requests can be tried."""
    page, policy = _build_docs_page()
    headers = {"content-security-policy": policy}
    return Response(page, media_type="text/html", headers=headers)


@documents.get("/docs/{name}")
def show_asset(
    name: Literal["swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"],
) -> FileResponse:
    """A file of Swagger UI."""
    headers = {"cache-control": f"max-age={ASSET_SECONDS}"}
    with as_file(ASSETS.joinpath(name)) as path:
        return FileResponse(path, headers=headers)


@cache
def _build_docs_page() -> tuple[bytes, str]:
    """The page, and what it may do: run its script, and ask this server.

    The policy names the script of the page by its hash (Content Security Policy Level 3, section
    2.3.1). Swagger UI sets styles of its own and draws icons from data addresses.
    """
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Clientela API",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon.png",
    )
    content = bytes(page.body)
    script = content.partition(b"<script>")[2].partition(b"</script>")[0]
    digest = b64encode(hashlib.sha256(script).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return content, policy


# What the head of a request may cost: httptools reads heads of any size at any pace, and each
# connection could fill the memory, or stay open for ever, before the application sees anything.

# Bytes of request line and headers, as other servers bound them.
LARGEST_HEAD: Final = 32 * 1024

BAD_REQUEST: Final = 400
HEAD_TOO_LARGE: Final = 431


class HeadTooLargeError(Exception):
    """Inside the parser: the request is refused."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection of uvicorn, with bounds on the heads of its requests."""

    head_seconds: float = 10.0
    """Until a head has to be there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        self._head_goes_on = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._head_goes_on = self._in_head
        super().data_received(data)
        if self._head_goes_on:
            # a header that never ends reaches no callback
            self._head += len(data)
            if self._head > LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        """Part of its address came."""
        self._count_head_bytes(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came."""
        self._count_head_bytes(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it has no words for people
        """Refuse what is no HTTP, or has too large a head."""
        status = HEAD_TOO_LARGE if self._head > LARGEST_HEAD else BAD_REQUEST
        head = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head)
        self.transport.close()

    def _count_head_bytes(self, *parts: bytes) -> None:
        self._head += sum(map(len, parts))
        if self._head > LARGEST_HEAD:
            raise HeadTooLargeError

    def _start_head_timer(self) -> None:
        self._stop_head_timer()
        self._head, self._in_head = 0, True
        self._deadline = self.loop.call_later(self.head_seconds, self._close_slow_connection)

    def _stop_head_timer(self) -> None:
        self._in_head = self._head_goes_on = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_slow_connection(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


# The application: FastAPI around a service, and how uvicorn runs it.


ABOUT: Final = (
    "Predictions of the approved models, and the segments of customers. The model informs; a "
    "person decides. No reply and no log repeats what a request held."
)
NOT_ALLOWED: Final = 405

APPLICATION: Final = "clientela.serving.app:create_app_from_environment"
BACKLOG: Final = 2048
# Until a worker has to give a sign of life. Five, uvicorn's own, are fewer than a busy machine
# takes to import the application: its workers would be replaced for ever, and never answer.
WORKER_SECONDS: Final = 60


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
    app.include_router(documents, dependencies=opened if settings.open_docs else closed)


def _document_served_models(app: FastAPI, service: Service) -> None:
    """Has the document describe the models that are served when it is asked for."""
    latest: tuple[Any, dict[str, Any]] = (None, {})

    def get_document() -> dict[str, Any]:
        nonlocal latest
        models = service.models.by_use_case
        if latest[0] is not models:
            latest = models, build_openapi(app, service)
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
    """Serve until the process is told to stop; requests in flight are answered first."""
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
