"""The routes of the API: predictions, what is served, how it is, and the segment of a customer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends
from fastapi import Path as PathParameter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from clientela.serving.auth import ApiError
from clientela.serving.case_reader import ARRAYS
from clientela.serving.model_store import LoadedModel
from clientela.serving.observability import CONTENT_TYPE
from clientela.serving.schemas import (
    CustomerSegment,
    ErrorResponse,
    HealthStatus,
    ModelDescription,
    ModelList,
)
from clientela.serving.service import PredictionRequest, Service

JSON: Final = "application/json"
CSV: Final = "text/csv"

# The header that SageMaker hands on to the container as it is.
ATTRIBUTES: Final = "x-amzn-sagemaker-custom-attributes"

# Its value where the fields of the model are asked for instead of predictions, which SageMaker's
# contract leaves to its container.
DESCRIBE: Final = "describe"

LINGERED_BODIES: Final = 4
# What more is read of a body that is refused, and thrown away: a sender that is still writing
# when the connection is closed never reads the reply (RFC 9112, section 9.6).
LINGER_SECONDS: Final = 2.0


def describe_errors(**words: str) -> dict[int | str, dict[str, Any]]:
    """What a route may refuse with, for its documentation: `no_404="…"` and the common ones."""
    common = {
        "no_401": "No token is shown, or another one.",
        "no_403": "Asked under a foreign host name.",
    }
    return {
        int(name.removeprefix("no_")): {"model": ErrorResponse, "description": text}
        for name, text in (common | words).items()
    }


async def get_service(request: Request) -> Service:
    """The dependency of every route: the parts of the API."""
    service: Service = request.app.state.service
    return service


ServiceDependency = Annotated[Service, Depends(get_service)]


async def choose_model(request: Request, service: ServiceDependency) -> LoadedModel:
    """The model that the path names, by its use case or by an endpoint; else the default one."""
    use_case = request.path_params.get("use_case")
    if use_case is not None:
        return service.models.get_model(use_case)
    endpoint = request.path_params.get("name", "").replace("-", "_")
    named = [name for name in service.models.by_use_case if name in endpoint]
    return service.models.get_model(max(named, key=len)) if named else service.get_default_model()


ModelDependency = Annotated[LoadedModel, Depends(choose_model)]


async def read_reasons(request: Request) -> bool:
    """Whether the query asks for reasons."""
    query = request.query_params.multi_items()
    if query not in ([], [("reasons", "true")], [("reasons", "false")]):
        raise ApiError(422, "wrong_query", "The query can be ?reasons=true or ?reasons=false.")
    return query == [("reasons", "true")]


# Documented per model, see `clientela.serving.app`; each reads its body raw, so that pydantic
# goes over it once.
predictions = APIRouter(include_in_schema=False)


@predictions.post("/predict")
@predictions.post("/models/{use_case}/predict")
async def predict(
    request: Request,
    service: ServiceDependency,
    model: ModelDependency,
    reasons: Annotated[bool, Depends(read_reasons)],
) -> Response:
    """Predictions of a model."""
    _require_media_type(request, JSON)
    settings = service.settings
    content = await read_body(request, settings.largest_body, settings.body_seconds)
    prediction = PredictionRequest(content, reasons=reasons)
    return Response(await service.predict(model, prediction, request.state.info), media_type=JSON)


@predictions.post("/invocations")
@predictions.post("/endpoints/{name}/invocations")
async def invoke(request: Request, service: ServiceDependency, model: ModelDependency) -> Response:
    """Predictions as SageMaker asks its containers; the second path is for a client of AWS."""
    if request.headers.get(ATTRIBUTES) == DESCRIBE:
        return _make_json_response(model.to_public_dict())
    media = _require_media_type(request, JSON, CSV)
    reply_media = _select_reply_type(request.headers.get("accept", "*/*"), media)
    settings = service.settings
    content = await read_body(request, settings.largest_body, settings.body_seconds)
    prediction = PredictionRequest(
        content, names=ARRAYS, csv=media == CSV, csv_reply=reply_media == CSV
    )
    reply = await service.predict(model, prediction, request.state.info)
    return Response(reply, headers={"content-type": reply_media})


async def read_body(request: Request, largest: int, seconds: float) -> bytes:
    """The whole body, read no further than its limit.

    Raises:
        ApiError: It is too large (413), or came too slowly (408).
    """
    stream = request.stream()
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared[:20]) > largest:
        if "expect" not in request.headers:
            await _skip_remaining_body(stream, largest)
        raise _make_too_large_error(largest)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in stream:
                body += chunk
                if len(body) > largest:
                    await _skip_remaining_body(stream, largest)
                    raise _make_too_large_error(largest)
    except TimeoutError:
        raise ApiError(
            408,
            "too_slow",
            f"The body should be sent within {seconds:g} seconds.",
            headers={"connection": "close"},
        ) from None
    return bytes(body)


def _make_too_large_error(largest: int) -> ApiError:
    return ApiError(
        413,
        "body_too_large",
        f"The body should be of at most {largest} bytes. Send fewer cases at a time.",
        headers={"connection": "close"},
    )


async def _skip_remaining_body(stream: AsyncIterator[bytes], largest: int) -> None:
    left = LINGERED_BODIES * largest
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            async for chunk in stream:
                left -= len(chunk)
                if left <= 0:
                    return
    except (TimeoutError, ClientDisconnect):
        return


def _require_media_type(request: Request, *known: str) -> str:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    media = media.strip().lower()
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media not in known or charset not in ("", "utf-8", "utf8"):
        raise ApiError(
            415,
            "wrong_type",
            f"The body should be {' or '.join(known)} in UTF-8, and the header Content-Type say "
            "so.",
        )
    return media


def _select_reply_type(accept: str, body_type: str) -> str:
    """The type of the reply: the first of those accepted that there is."""
    offered = {"*/*": body_type, "": body_type, "application/*": JSON, "text/*": CSV}
    offered |= {JSON: JSON, CSV: CSV}
    for accepted in accept.split(","):
        media = accepted.partition(";")[0].strip().lower()
        if media in offered:
            return offered[media]
    raise ApiError(406, "no_such_reply", "The reply can be application/json or text/csv.")


models = APIRouter(tags=["models"])


@models.get("/models", response_model=ModelList, responses=describe_errors())
async def list_models(service: ServiceDependency) -> Response:
    """Every model that is served, with its fields, limits and grades."""
    shown = [model.to_public_dict() for model in service.models.by_use_case.values()]
    return _make_json_response({"default": service.settings.use_case, "models": shown})


@models.get(
    "/models/{use_case}",
    response_model=ModelDescription,
    responses=describe_errors(no_404="No such model is served."),
)
async def describe_model(use_case: str, service: ServiceDependency) -> Response:
    """One model, with its fields, limits and grades."""
    return _make_json_response(service.models.get_model(use_case).to_public_dict())


segments = APIRouter(tags=["segments"])


# in a thread: the driver of the database waits
@segments.get(
    "/segments/{dni}",
    response_model=CustomerSegment,
    responses=describe_errors(
        no_404="No segment is stored for this customer.",
        no_422="No key can be like this.",
        no_503="The table can't be read now.",
    ),
)
def find_segment(
    dni: Annotated[str, PathParameter(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")],
    service: ServiceDependency,
) -> Response:
    """The segment of a customer, as the last run loaded it."""
    if service.segments is None:
        raise ApiError(404, "no_route", "No such route.")
    return _make_json_response(service.segments.find_segment(dni))


health = APIRouter()


@health.get(
    "/ping",
    response_class=Response,
    responses=describe_errors(no_503="No model is served."),
    tags=["SageMaker"],
)
async def ping(service: ServiceDependency) -> Response:
    """Whether a model is served, for health checks; empty."""
    if not service.models.by_use_case:
        raise ApiError(503, "no_model", "No model is served.")
    return Response()


@health.get(
    "/health",
    response_model=HealthStatus,
    responses={
        503: {"model": HealthStatus, "description": "No model is served."},
        403: describe_errors()[403],
    },
    tags=["operation"],
)
async def report_health(request: Request, service: ServiceDependency) -> Response:
    """Whether requests can be answered; who shows the token learns by which models."""
    served = service.models.by_use_case.values()
    report: dict[str, Any] = {"status": "ready" if served else "empty"}
    try:
        await service.guards.closed(request)
    except ApiError:
        pass  # a stranger learns no versions
    else:
        report["models"] = [model.to_name() for model in served]
        report["polled_seconds_ago"] = service.reloader.age() if service.reloader else None
    return _make_json_response(report, 200 if served else 503)


metrics = APIRouter(tags=["operation"])


@metrics.get(
    "/metrics",
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **describe_errors(),
    },
    response_class=Response,
)
def show_metrics(service: ServiceDependency) -> Response:
    """Counts and times, as Prometheus reads them."""
    manifests = [model.manifest for model in service.models.by_use_case.values()]
    content = service.metrics.render_metrics(manifests)
    return Response(content, headers={"content-type": CONTENT_TYPE})


def _make_json_response(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type=JSON)
