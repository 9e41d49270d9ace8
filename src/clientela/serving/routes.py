"""How an endpoint is asked what it is, which SageMaker's contract leaves to its container."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import Response

from clientela.serving.case_reader import DATA, INSTANCES
from clientela.serving.errors import ApiError
from clientela.serving.http_limits import Receive, Scope, Send, get_header, read_body
from clientela.serving.middleware import JSON, SEEN, send_reply
from clientela.serving.model_store import LoadedModel
from clientela.serving.observability import CONTENT_TYPE
from clientela.serving.openapi import PAGE, POLICY
from clientela.serving.schemas import (
    CustomerSegment,
    ErrorResponse,
    HealthStatus,
    ModelDescription,
    ModelList,
)
from clientela.serving.service import PredictionHandler, PredictionRequest, Service
from clientela.serving.settings import ServingSettings

# How an endpoint is asked what it is, which SageMaker's contract leaves to its container.


ATTRIBUTES: Final = b"x-amzn-sagemaker-custom-attributes"
"""The header that SageMaker hands on to the container as it is."""

DESCRIBE: Final = "describe"
"""Its value where the fields of the model are asked for instead of predictions."""


# The routes that predict, in plain ASGI: FastAPI's own way costs more than a model's answer.


CSV: Final = b"text/csv"

ChosenModel = Callable[[Scope], LoadedModel]


@dataclass(frozen=True)
class PredictionRoute(ABC):
    """A route that predicts.

    Attributes:
        route: As it is documented.
        chosen: The model that a request is for.
    """

    route: str
    chosen: ChosenModel
    predicting: PredictionHandler
    settings: ServingSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope[SEEN].route = self.route
        await self._answer(self.chosen(scope), scope, receive, send)

    @abstractmethod
    async def _answer(self, model: LoadedModel, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to a model."""

    async def _read_request_body(self, scope: Scope, receive: Receive) -> bytes:
        return await read_body(
            scope, receive, self.settings.largest_body, self.settings.body_seconds
        )


class PredictRoute(PredictionRoute):
    """`POST /predict` and `POST /models/{use_case}/predict`."""

    async def _answer(self, model: LoadedModel, scope: Scope, receive: Receive, send: Send) -> None:
        reasons = _parse_reasons_query(scope["query_string"])
        _require_media_type(scope, JSON)
        asked = PredictionRequest(await self._read_request_body(scope, receive), reasons=reasons)
        await send_reply(send, await self.predicting.reply(model, asked, scope[SEEN]))


class InvocationsRoute(PredictionRoute):
    """`POST /invocations`, as SageMaker asks its containers."""

    async def _answer(self, model: LoadedModel, scope: Scope, receive: Receive, send: Send) -> None:
        if get_header(scope, ATTRIBUTES) == DESCRIBE.encode():
            await send_reply(send, orjson.dumps(model.to_public_dict()))
            return
        came = _require_media_type(scope, JSON, CSV)
        wanted = _select_reply_type(get_header(scope, b"accept"), came)
        content = await self._read_request_body(scope, receive)
        asked = PredictionRequest(
            content, names=(DATA, INSTANCES), csv=came == CSV, csv_wanted=wanted == CSV
        )
        await send_reply(send, await self.predicting.reply(model, asked, scope[SEEN]), wanted)


def _require_media_type(scope: Scope, *known: bytes) -> bytes:
    given = get_header(scope, b"content-type") or b""
    media, _, parameters = given.partition(b";")
    media = media.strip().lower()
    charset = parameters.strip().lower().removeprefix(b"charset=").strip(b'"')
    if media not in known or charset not in (b"", b"utf-8", b"utf8"):
        names = " or ".join(name.decode() for name in known)
        raise ApiError(
            415,
            "wrong_type",
            f"The body should be {names} in UTF-8, and the header Content-Type say so.",
        )
    return media


def _select_reply_type(accept: bytes | None, came: bytes) -> bytes:
    """The type of the reply: the first of those accepted that there is."""
    ranges = [part.partition(b";")[0].strip().lower() for part in (accept or b"*/*").split(b",")]
    for media in ranges:
        if media in (b"*/*", b""):
            return came
        if media == b"application/*":
            return JSON
        if media == b"text/*":
            return CSV
        if media in (JSON, CSV):
            return media
    raise ApiError(406, "no_such_reply", "The reply can be application/json or text/csv.")


def _parse_reasons_query(query: bytes) -> bool:
    if not query:
        return False
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None)
    if len(given) != 1 or given[0] not in (("reasons", "true"), ("reasons", "false")):
        raise ApiError(422, "wrong_query", "The query can be ?reasons=true or ?reasons=false.")
    return given[0][1] == "true"


# The routes beside the predictions: what is served, how it is, and the segment of a customer.


MEDIA: Final = "application/json"
OPEN: Final[dict[str, Any]] = {"security": []}
"""Of a route that asks nobody for a token."""

Responses = dict[int | str, dict[str, Any]]


def describe_error_responses(**words: str) -> Responses:
    """What a route may refuse with, for its documentation."""
    told = {"no_401": "No token is shown.", "no_403": "Asked under a foreign host name.", **words}
    return {
        int(name.removeprefix("no_")): {"model": ErrorResponse, "description": text}
        for name, text in told.items()
    }


def create_router(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter()
    _add_model_routes(router, service)
    _add_segment_routes(router, service)
    _add_operation_routes(router, service)
    return router


def _add_model_routes(router: APIRouter, service: Service) -> None:
    @router.get(
        "/models",
        summary="What is served",
        response_model=ModelList,
        responses=describe_error_responses(),
        tags=["models"],
    )
    async def models() -> Response:
        """Every model that is served, with its fields, limits and grades."""
        shown = [model.to_public_dict() for model in service.shelf.models.values()]
        return _make_json_response({"default": service.settings.use_case, "models": shown})

    @router.get(
        "/models/{use_case}",
        summary="What is served for one use case",
        response_model=ModelDescription,
        responses=describe_error_responses(no_404="No such model is served."),
        tags=["models"],
    )
    async def model(use_case: str) -> Response:
        """One model, with its fields, limits and grades."""
        return _make_json_response(service.shelf.model(use_case).to_public_dict())


def _add_segment_routes(router: APIRouter, service: Service) -> None:
    lookup = service.segments
    if lookup is None:
        return

    # in a thread: the driver of the database waits
    @router.get(
        "/segments/{dni}",
        summary="The segment of a customer",
        response_model=CustomerSegment,
        responses=describe_error_responses(
            no_404="No segment is stored for this customer.",
            no_422="No key can be like this.",
            no_503="The table can't be read now.",
        ),
        tags=["segments"],
    )
    def segment(dni: Annotated[str, InPath(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]) -> Response:
        """The segment of a customer, as the last run loaded it."""
        return _make_json_response(lookup.find_segment(dni))


def _add_operation_routes(router: APIRouter, service: Service) -> None:
    @router.get(
        "/ping",
        summary="Whether a model is served, for health checks",
        response_class=Response,
        responses=describe_error_responses(no_503="No model is served."),
        tags=["SageMaker"],
        openapi_extra=OPEN,
    )
    async def ping() -> Response:
        """Whether a model is served; empty."""
        if not service.shelf.models:
            raise ApiError(503, "no_model", "No model is served.")
        return Response()

    @router.get(
        "/health",
        summary="Whether requests can be answered, and by which models",
        response_model=HealthStatus,
        responses={
            503: {"model": HealthStatus, "description": "No model is served."},
            403: describe_error_responses()[403],
        },
        tags=["operation"],
        openapi_extra=OPEN,
    )
    async def health(request: Request) -> Response:
        """Whether requests can be answered; who shows the token learns by which models."""
        return _build_health_response(service, request)

    @router.get(
        "/metrics",
        summary="Counts and times, for Prometheus",
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **describe_error_responses(),
        },
        response_class=Response,
        tags=["operation"],
    )
    def metrics() -> Response:
        """Counts and times, as Prometheus reads them."""
        models = service.shelf.models.values()
        return Response(
            service.observed.render_metrics(models), headers={"content-type": CONTENT_TYPE}
        )

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(PAGE, media_type="text/html", headers={"content-security-policy": POLICY})


def _build_health_response(service: Service, request: Request) -> Response:
    models = service.shelf.models.values()
    told: dict[str, Any] = {"status": "ready" if models else "empty"}
    if service.access.has_valid_token(request.scope):
        told["models"] = [model.named() for model in models]
        told["polled_seconds_ago"] = service.polled_seconds_ago()
    return _make_json_response(told, 200 if models else 503)


def _make_json_response(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type=MEDIA)
