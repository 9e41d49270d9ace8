"""The application: FastAPI around a service."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clientela.registry.served import ServedStore
from clientela.serving.documents import openapi
from clientela.serving.edge import SEEN, Edge
from clientela.serving.hot_routes import Invocations, Predict
from clientela.serving.logs import AccessLog
from clientela.serving.refusals import Refusal
from clientela.serving.routes import routes
from clientela.serving.service import Service
from clientela.serving.settings import settings_of

ABOUT: Final = (
    "Predictions of the approved models, and the segments of customers. The model informs; a "
    "person decides. No reply and no log repeats what a request held."
)
NOT_ALLOWED: Final = 405


def from_environment() -> FastAPI:
    """The application that the variables of the environment describe, for each worker.

    Returns:
        An ASGI application.
    """
    settings = settings_of(os.environ)
    store = None if settings.served is None else ServedStore(settings.served)
    return application(Service(settings, store))


def application(service: Service) -> FastAPI:
    """The application around a service.

    Args:
        service: What answers.

    Returns:
        An ASGI application.
    """

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
        exception_handlers={HTTPException: _refused, RequestValidationError: _refused},
    )
    app.router.routes[:0] = _hot_routes(service)
    app.include_router(routes(service))
    _document(app, service)
    app.add_middleware(Edge, access=service.access, observed=service.observed, log=AccessLog())
    return app


def _hot_routes(service: Service) -> list[Route]:
    """First, since routes are tried in their order."""
    ways = (
        ("/predict", Predict, service.by_default),
        ("/models/{use_case}/predict", Predict, service.by_use_case),
        ("/invocations", Invocations, service.by_default),
        # so that a SageMaker client can be pointed here
        ("/endpoints/{name}/invocations", Invocations, service.by_endpoint),
    )
    return [
        Route(path, kind(path, chosen, service.predicting, service.settings), methods=["POST"])
        for path, kind, chosen in ways
    ]


def _document(app: FastAPI, service: Service) -> None:
    """Has the document describe the models that are served when it is asked for."""
    written = app.openapi
    last: tuple[Any, dict[str, Any]] = (None, {})

    def document() -> dict[str, Any]:
        nonlocal last
        models = service.shelf.models
        if last[0] is not models:
            default, most = service.default_or_none(), service.settings.largest_batch
            token = service.access.asks
            last = models, openapi(written(), models, default, most, token=token)
        return last[1]

    app.openapi = document  # type: ignore[method-assign]


async def _refused(request: Request, error: Exception) -> Response:
    """What FastAPI and Starlette refuse, in the form of all refusals and without what came."""
    if isinstance(error, HTTPException):
        words = "No such route." if error.status_code != NOT_ALLOWED else "Not by this method."
        refusal = Refusal(error.status_code, "no_route", words, headers=error.headers)
    else:
        refusal = Refusal(422, "wrong_path", "The path or the query can't be like this.")
    seen = request.scope[SEEN]
    seen.code = refusal.code
    headers = {**refusal.headers, "content-type": "application/json"}
    return Response(refusal.body(seen.request_id), refusal.status, headers)
