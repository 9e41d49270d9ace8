"""The routes beside the predictions: what is served, how it is, and the segment of a customer."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import Response

from clientela.serving.docs_page import PAGE, POLICY
from clientela.serving.observed import CONTENT_TYPE
from clientela.serving.refusals import Refusal
from clientela.serving.service import Service
from clientela.serving.wire import (
    HealthShown,
    ModelShown,
    ModelsShown,
    RefusalShown,
    SegmentShown,
)

MEDIA: Final = "application/json"
OPEN: Final[dict[str, Any]] = {"security": []}
"""Of a route that asks nobody for a token."""

Responses = dict[int | str, dict[str, Any]]


def refusing(**words: str) -> Responses:
    """What a route may refuse with, for its documentation.

    Args:
        words: `no_<status>` to why.

    Returns:
        Responses of FastAPI.
    """
    told = {"no_401": "No token is shown.", "no_403": "Asked under a foreign host name.", **words}
    return {
        int(name.removeprefix("no_")): {"model": RefusalShown, "description": text}
        for name, text in told.items()
    }


def routes(service: Service) -> APIRouter:
    """The routes of a service.

    Args:
        service: What answers.

    Returns:
        A router.
    """
    router = APIRouter()
    _about_models(router, service)
    _about_customers(router, service)
    _about_operation(router, service)
    return router


def _about_models(router: APIRouter, service: Service) -> None:
    @router.get(
        "/models",
        summary="What is served",
        response_model=ModelsShown,
        responses=refusing(),
        tags=["models"],
    )
    async def models() -> Response:
        """Every model that is served, with its fields, limits and grades."""
        shown = [model.public() for model in service.shelf.models.values()]
        return _json({"default": service.settings.use_case, "models": shown})

    @router.get(
        "/models/{use_case}",
        summary="What is served for one use case",
        response_model=ModelShown,
        responses=refusing(no_404="No such model is served."),
        tags=["models"],
    )
    async def model(use_case: str) -> Response:
        """One model, with its fields, limits and grades."""
        return _json(service.shelf.model(use_case).public())


def _about_customers(router: APIRouter, service: Service) -> None:
    lookup = service.segments
    if lookup is None:
        return

    # in a thread: the driver of the database waits
    @router.get(
        "/segments/{dni}",
        summary="The segment of a customer",
        response_model=SegmentShown,
        responses=refusing(
            no_404="No segment is stored for this customer.",
            no_422="No key can be like this.",
            no_503="The table can't be read now.",
        ),
        tags=["segments"],
    )
    def segment(dni: Annotated[str, InPath(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]) -> Response:
        """The segment of a customer, as the last run loaded it."""
        return _json(lookup.segment(dni))


def _about_operation(router: APIRouter, service: Service) -> None:
    @router.get(
        "/ping",
        summary="Whether a model is served, for health checks",
        response_class=Response,
        responses=refusing(no_503="No model is served."),
        tags=["SageMaker"],
        openapi_extra=OPEN,
    )
    async def ping() -> Response:
        """Whether a model is served; empty."""
        if not service.shelf.models:
            raise Refusal(503, "no_model", "No model is served.")
        return Response()

    @router.get(
        "/health",
        summary="Whether requests can be answered, and by which models",
        response_model=HealthShown,
        responses={
            503: {"model": HealthShown, "description": "No model is served."},
            403: refusing()[403],
        },
        tags=["operation"],
        openapi_extra=OPEN,
    )
    async def health(request: Request) -> Response:
        """Whether requests can be answered; who shows the token learns by which models."""
        return _health(service, request)

    @router.get(
        "/metrics",
        summary="Counts and times, for Prometheus",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **refusing()},
        response_class=Response,
        tags=["operation"],
    )
    def metrics() -> Response:
        """Counts and times, as Prometheus reads them."""
        models = service.shelf.models.values()
        return Response(service.observed.exposition(models), headers={"content-type": CONTENT_TYPE})

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(PAGE, media_type="text/html", headers={"content-security-policy": POLICY})


def _health(service: Service, request: Request) -> Response:
    models = service.shelf.models.values()
    told: dict[str, Any] = {"status": "ready" if models else "empty"}
    if service.access.shown(request.scope):
        told["models"] = [model.named() for model in models]
        told["polled_seconds_ago"] = service.polled_seconds_ago()
    return _json(told, 200 if models else 503)


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type=MEDIA)
