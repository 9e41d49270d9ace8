"""The documentation of the API: the OpenAPI document, with the types of each model, and Swagger UI.

The routes that predict are documented by routes that are never called, one per served model:
FastAPI describes them from the same types that the requests are read with.
"""

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import as_file, files
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Body, Depends, FastAPI, Query
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from clientela.serving.errors import ApiError
from clientela.serving.model_store import LoadedModel
from clientela.serving.routes import CSV, JSON, describe_errors
from clientela.serving.schemas import DATA, INSTANCES, build_reply_type
from clientela.serving.service import Service

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

ASSETS: Final = files("fastapi_offline").joinpath("static")
"""Swagger UI comes from a package: from another host it would stay blank behind a firewall, and a
foreign script would see the token that is typed in."""

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
