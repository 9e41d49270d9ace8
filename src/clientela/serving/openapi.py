"""The OpenAPI document: what FastAPI writes, and a path per served model from its own schema."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from clientela.registry.manifest import ServedManifest
from clientela.serving.case_reader import DATA, INSTANCES
from clientela.serving.model_store import LoadedModel
from clientela.serving.schemas import build_json_schema

# The OpenAPI document: what FastAPI writes, and a path per served model from its own schema.


Json: TypeAlias = dict[str, Any]

JSON: Final = "application/json"
CSV: Final = "text/csv"
SHOWN: Final = "#/components/schemas/ErrorResponse"
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


def build_openapi(
    written: Json,
    models: Mapping[str, LoadedModel],
    default: LoadedModel | None,
    most: int,
    *,
    token: bool,
) -> Json:
    """The whole document.

    Args:
        written: By FastAPI, for the routes that it knows.
        models: That are served, by use case.
        default: The one behind `/predict` and `/invocations`.

    Returns:
        A document of its own; `written` stays as it is.
    """
    paths: Json = {}
    schemas = dict(written.get("components", {}).get("schemas", {}))
    for use_case, model in models.items():
        schemas |= _build_component_schemas(model, most)
        paths[f"/models/{use_case}/predict"] = {"post": _build_predict_operation(model)}
    if default is not None:
        summary = f"The same: {default.manifest.use_case} is the default"
        operation = {
            **_build_predict_operation(default),
            "operationId": "predict",
            "summary": summary,
        }
        paths |= {
            "/predict": {"post": operation},
            "/invocations": {"post": _build_invocations_operation(default)},
        }
    components: Json = {"schemas": schemas}
    document = {**written, "paths": {**paths, **written["paths"]}, "components": components}
    if token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _build_component_schemas(model: LoadedModel, most: int) -> Json:
    manifest = model.manifest
    name = manifest.use_case
    case = {**build_json_schema(model.reader.case), "examples": [manifest.example.case]}
    case["title"] = f"A case of {name}"
    return {
        f"{name}.case": case,
        f"{name}.cases": _build_body_component(name, manifest, most, DATA),
        f"{name}.instances": _build_body_component(name, manifest, most, INSTANCES),
        f"{name}.reply": _build_reply_component(manifest),
    }


def _build_body_component(name: str, manifest: ServedManifest, most: int, array: str) -> Json:
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


def _build_reply_component(manifest: ServedManifest) -> Json:
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


def _build_predict_operation(model: LoadedModel) -> Json:
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
        "requestBody": {
            "required": True,
            "content": {JSON: _build_request_content(name, ["cases"])},
        },
        "responses": {
            "200": {
                "description": "One prediction per case.",
                "content": _build_reply_content(name, [JSON]),
            },
            **build_error_responses(),
        },
    }


def _build_invocations_operation(model: LoadedModel) -> Json:
    name = model.manifest.use_case
    case = model.manifest.example.case
    values = [case.get(field.name) for field in model.manifest.fields]
    line = ",".join("" if value is None else str(value) for value in values)
    text = {"schema": {"type": "string", "minLength": 1, "description": f"Such as {line}"}}
    content = {JSON: _build_request_content(name, ["cases", "instances"]), CSV: text}
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
                "content": _build_reply_content(name, [JSON, CSV]),
            },
            **build_error_responses("406"),
        },
    }


def _build_request_content(name: str, forms: Sequence[str]) -> Json:
    schemas = [{"$ref": f"#/components/schemas/{name}.{form}"} for form in forms]
    return {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}


def _build_reply_content(name: str, media: Sequence[str]) -> Json:
    schemas = {JSON: {"$ref": f"#/components/schemas/{name}.reply"}, CSV: {"type": "string"}}
    return {kind: {"schema": schemas[kind]} for kind in media}


def build_error_responses(*further: str) -> Json:
    """What every route that takes a body may refuse with.

    Args:
        further: Status codes beside the common ones.
    """
    shown = {JSON: {"schema": {"$ref": SHOWN}}}
    words = REFUSALS | dict.fromkeys(further, "No reply of that type can be given.")
    return {code: {"description": text, "content": shown} for code, text in words.items()}


# The page at `/docs`: the OpenAPI document to read and to try, without a script from elsewhere.
#
# Swagger UI comes from another host unless a megabyte of it is vendored: it would stay blank behind a
# firewall, and a foreign script would see the token that is typed in. Any such viewer can be pointed
# at `/openapi.json` instead.


STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
h1{margin-bottom:0} code,pre,textarea,input{font:14px/1.5 ui-monospace,monospace}
details{border:1px solid #c9d1d9;border-radius:6px;margin:.6rem 0;padding:.6rem 1rem}
summary{cursor:pointer} .verb{display:inline-block;min-width:3.6rem;font-weight:700}
textarea{width:100%;min-height:14rem;box-sizing:border-box} input{width:24rem;max-width:100%}
pre{background:#f3f5f7;border-radius:6px;max-height:30rem;overflow:auto;padding:1rem}
table{border-collapse:collapse;width:100%} td,th{border-bottom:1px solid #d8dee4;padding:.3rem;
text-align:left;vertical-align:top} button{font:inherit;padding:.3rem 1rem}
label{display:block;margin:.6rem 0} [hidden]{display:none}
td code{overflow-wrap:anywhere}
"""

SCRIPT: Final = """
const make = (kind, text, parent) => {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
};
const token = document.getElementById("token");
const found = (doc, schema) => schema && schema.$ref
  ? found(doc, doc.components.schemas[schema.$ref.split("/").pop()]) : schema;

function fields(doc, schema, box) {
  const arrays = Object.values(schema.properties || {}).filter((p) => p.type === "array");
  const array = arrays.find((p) => p.items.$ref);
  const entity = array && found(doc, array.items);
  if (!entity) return;
  const table = make("table", undefined, box), head = make("tr", undefined, table);
  ["field", "", "meaning"].forEach((name) => make("th", name, head));
  for (const [name, about] of Object.entries(entity.properties)) {
    const row = make("tr", undefined, table);
    make("code", name, make("td", undefined, row));
    make("td", (entity.required || []).includes(name) ? "required" : "", row);
    make("td", about.description || "", row);
  }
}

function operation(doc, path, verb, about) {
  const box = make("details", undefined, document.getElementById("operations"));
  const line = make("summary", undefined, box);
  make("span", verb.toUpperCase(), line).className = "verb";
  make("code", path, line);
  line.append(" " + (about.summary || ""));
  if (about.description) make("p", about.description, box);
  const inputs = (about.parameters || []).map((parameter) => {
    const label = make("label", parameter.name + " ", box), input = make("input", undefined, label);
    input.placeholder = String(parameter.schema.default ?? "");
    return [parameter, input];
  });
  let body;
  const content = about.requestBody && about.requestBody.content["application/json"];
  if (content) {
    const schema = found(doc, content.schema.oneOf ? content.schema.oneOf[0] : content.schema);
    fields(doc, schema, box);
    const example = JSON.stringify(schema.examples[0], null, 2);
    body = make("textarea", example, make("label", "body", box));
    body.spellcheck = false;
  }
  const button = make("button", "Send", make("p", undefined, box)), reply = make("pre", "", box);
  reply.hidden = true;
  button.onclick = async () => {
    let address = path;
    const query = new URLSearchParams();
    for (const [parameter, input] of inputs) {
      if (parameter.in === "path") {
        address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      } else if (input.value) query.set(parameter.name, input.value);
    }
    const headers = token.value ? {Authorization: "Bearer " + token.value} : {};
    if (body) headers["Content-Type"] = "application/json";
    reply.hidden = false;
    try {
      const answer = await fetch(address + (query.size ? "?" + query : ""),
        {method: verb.toUpperCase(), headers, body: body && body.value});
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON */ }
      reply.textContent = answer.status + " " + answer.statusText + "\\n\\n" + shown;
    } catch (problem) { reply.textContent = String(problem); }
  };
}

async function show() {
  const headers = token.value ? {Authorization: "Bearer " + token.value} : {};
  const answer = await fetch("openapi.json", {headers});
  if (!answer.ok) return;
  const doc = await answer.json();
  document.getElementById("title").textContent = doc.info.title;
  document.getElementById("about").textContent = doc.info.description;
  document.getElementById("operations").replaceChildren();
  document.getElementById("who").hidden = !doc.security;
  for (const [path, verbs] of Object.entries(doc.paths))
    for (const [verb, about] of Object.entries(verbs)) operation(doc, path, verb, about);
}
token.onchange = show;
show();
"""


def _compute_csp_source(text: str) -> str:
    """How a policy names one text that may run (Content Security Policy Level 3, section 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


PAGE: Final = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Clientela API</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>
<body><h1 id="title">Clientela API</h1><p id="about"></p>
<label id="who">token <input id="token" type="password" autocomplete="off"></label>
<p><a href="openapi.json">openapi.json</a></p>
<main id="operations"><p>No description: type the token.</p></main>
<script>{SCRIPT}</script></body></html>
"""

POLICY: Final = (
    f"default-src 'none'; script-src {_compute_csp_source(SCRIPT)}; style-src {_compute_csp_source(STYLE)}; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""What the page may do: run this script, and ask this server."""
