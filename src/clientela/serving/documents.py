"""The OpenAPI document: what FastAPI writes, and a path per served model from its own schema."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from clientela.inference.manifest import ServedManifest
from clientela.serving.case_reader import DATA, INSTANCES
from clientela.serving.case_schema import json_schema
from clientela.serving.shelf import ShelvedModel

Json: TypeAlias = dict[str, Any]

JSON: Final = "application/json"
CSV: Final = "text/csv"
SHOWN: Final = "#/components/schemas/RefusalShown"
REFUSALS: Final = {
    "400": "The body can't be read.",
    "401": "No token is shown, or another one.",
    "403": "Asked under a foreign host name.",
    "404": "No such model is served.",
    "408": "The body came too slowly.",
    "413": "The body is too large, or holds too many cases.",
    "415": "The body is of another type.",
    "422": "The cases break the fields of the model; problems says which and how.",
}
NUMBER: Final = {"type": "number"}
WORDS: Final = {"type": "array", "items": {"type": "string"}}
REASONS: Final = {
    "name": "reasons",
    "in": "query",
    "description": "Whether each prediction says why, in Spanish. Takes far longer.",
    "schema": {"type": "boolean", "default": False},
}


def openapi(
    written: Json,
    models: Mapping[str, ShelvedModel],
    default: ShelvedModel | None,
    most: int,
    *,
    token: bool,
) -> Json:
    """The whole document.

    Args:
        written: By FastAPI, for the routes that it knows.
        models: That are served, by use case.
        default: The one behind `/predict` and `/invocations`.
        most: Cases of a request.
        token: Whether callers show one.

    Returns:
        A document of its own; `written` stays as it is.
    """
    paths: Json = {}
    schemas = dict(written.get("components", {}).get("schemas", {}))
    for use_case, model in models.items():
        schemas |= _schemas(model, most)
        paths[f"/models/{use_case}/predict"] = {"post": _predict(model)}
    if default is not None:
        summary = f"The same: {default.manifest.use_case} is the default"
        operation = {**_predict(default), "operationId": "predict", "summary": summary}
        paths |= {"/predict": {"post": operation}, "/invocations": {"post": _invocations(default)}}
    components: Json = {"schemas": schemas}
    document = {**written, "paths": {**paths, **written["paths"]}, "components": components}
    if token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _schemas(model: ShelvedModel, most: int) -> Json:
    manifest = model.manifest
    name = manifest.use_case
    case = {**json_schema(model.reader.case), "examples": [manifest.example.case]}
    case["title"] = f"A case of {name}"
    return {
        f"{name}.case": case,
        f"{name}.cases": _body(name, manifest, most, DATA),
        f"{name}.instances": _body(name, manifest, most, INSTANCES),
        f"{name}.reply": _reply(manifest),
    }


def _body(name: str, manifest: ServedManifest, most: int, array: str) -> Json:
    cases: Json = {
        "type": "array",
        "items": {"$ref": f"#/components/schemas/{name}.case"},
        "minItems": 1,
        "maxItems": most,
    }
    return {
        "type": "object",
        "properties": {array: cases},
        "required": [array],
        "additionalProperties": False,
        "examples": [{array: [manifest.example.case]}],
    }


def _reply(manifest: ServedManifest) -> Json:
    parts: Json = {"imputed": WORDS, "unseen": WORDS}
    if manifest.task == "segments":
        answer: Json = {"cluster_id": {"type": "integer"}, "cluster_nombre": {"type": "string"}}
    else:
        classes = dict.fromkeys(manifest.classes, NUMBER)
        answer = {
            "clase": {"type": "string", "enum": list(manifest.classes)},
            manifest.score_name: NUMBER,
            "probabilidades": {"type": "object", "properties": classes},
        }
    told = ("use_case", "version", "role")
    model = {"type": "object", "properties": {name: {"type": "string"} for name in told}}
    prediction = {
        "type": "object",
        "properties": {**answer, **parts, "reasons": WORDS},
        "required": [*answer, *parts],
    }
    return {
        "type": "object",
        "properties": {"model": model, "predictions": {"type": "array", "items": prediction}},
        "required": ["model", "predictions"],
    }


def _predict(model: ShelvedModel) -> Json:
    manifest = model.manifest
    name = manifest.use_case
    return {
        "tags": ["predictions"],
        "summary": f"Predictions of {name}",
        "description": f"By the {manifest.role} model, version {manifest.version}. In the reply, "
        "imputed lists the fields for which a typical value stood in, and unseen those whose value "
        "the model did not learn from. A person decides.",
        "operationId": f"predict_{name}",
        "parameters": [REASONS],
        "requestBody": {"required": True, "content": {JSON: _content(name, ["cases"])}},
        "responses": {
            "200": {"description": "One prediction per case.", "content": _replies(name, [JSON])},
            **refusals(),
        },
    }


def _invocations(model: ShelvedModel) -> Json:
    name = model.manifest.use_case
    case = model.manifest.example.case
    values = [case.get(field.name) for field in model.manifest.fields]
    line = ",".join("" if value is None else str(value) for value in values)
    text = {"schema": {"type": "string", "minLength": 1, "description": f"Such as {line}"}}
    content = {JSON: _content(name, ["cases", "instances"]), CSV: text}
    return {
        "tags": ["SageMaker"],
        "summary": "The same in the form of SageMaker's containers",
        "description": "CSV has one case per line: with a header, or in the order of the model's "
        "fields. The reply is of the type of the request, or of the one that `Accept` names.",
        "operationId": "invocations",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {
                "description": "One prediction per case.",
                "content": _replies(name, [JSON, CSV]),
            },
            **refusals("406"),
        },
    }


def _content(name: str, forms: Sequence[str]) -> Json:
    schemas = [{"$ref": f"#/components/schemas/{name}.{form}"} for form in forms]
    return {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}


def _replies(name: str, media: Sequence[str]) -> Json:
    schemas = {JSON: {"$ref": f"#/components/schemas/{name}.reply"}, CSV: {"type": "string"}}
    return {kind: {"schema": schemas[kind]} for kind in media}


def refusals(*further: str) -> Json:
    """What every route that takes a body may refuse with.

    Args:
        further: Status codes beside the common ones.

    Returns:
        Responses of OpenAPI.
    """
    shown = {JSON: {"schema": {"$ref": SHOWN}}}
    words = REFUSALS | dict.fromkeys(further, "No reply of that type can be given.")
    return {code: {"description": text, "content": shown} for code, text in words.items()}
