"""The page at `/docs`: the OpenAPI document to read and to try, without a script from elsewhere.

Swagger UI comes from another host unless a megabyte of it is vendored: it would stay blank behind a
firewall, and a foreign script would see the token that is typed in. Any such viewer can be pointed
at `/openapi.json` instead.
"""

import base64
import hashlib
from typing import Final

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


def _source(text: str) -> str:
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
    f"default-src 'none'; script-src {_source(SCRIPT)}; style-src {_source(STYLE)}; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""What the page may do: run this script, and ask this server."""
