"""What the OpenAPI document promises, and whether the server keeps it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.browsing import CHROMIUM
from tests.serving.models import FIELDS, TWELVE, publish
from tests.serving.running import running
from tests.serving.test_segment_lookup import SEGMENTS, stored

TOKEN = "a-token-of-sixteen-or-more"  # noqa: S105


HOOKS = """
from datetime import datetime
import schemathesis
from hypothesis import strategies as st

moments = st.datetimes(datetime(2000, 1, 1), datetime(2035, 12, 31)).map(datetime.isoformat)
schemathesis.openapi.format("local-date-time", moments)
line = b"4,2e6,12,35,3e6,1e6,18e4,2,3,2,0,1,,,,"
schemathesis.openapi.media_type("text/csv", st.lists(st.just(line), min_size=1).map(b"\\n".join))

"""


@pytest.fixture(scope="module")
def complete(served, tmp_path_factory):
    """A server with every route there is, and a token."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database')}/segments.sqlite"
    stored(url).save(SEGMENTS)
    limits = {"largest_batch": 20, "largest_batch_with_reasons": 20}
    with running(served=str(served), database=url, token=TOKEN, **limits) as server:
        yield server


@pytest.fixture(scope="module")
def document(complete):
    return complete.client.get("/openapi.json").json()


def test_every_route_is_documented(document):
    assert set(document["paths"]) == {
        "/predict",
        "/models/credit_payment/predict",
        "/models/customer_segments/predict",
        "/invocations",
        "/models",
        "/models/{use_case}",
        "/segments/{dni}",
        "/ping",
        "/health",
        "/metrics",
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            is_open = path in ("/ping", "/health")
            assert operation.get("security") == (None if is_open else [{"token": []}])


def test_a_request_is_documented_by_the_fields_of_its_model(document):
    schemas = document["components"]["schemas"]
    case = schemas["credit_payment_case"]
    assert list(case["properties"]) == [*(field.name for field in FIELDS), "_id"]
    assert case["required"] == list(TWELVE)
    assert case["examples"] == [TWELVE]
    unread = case["properties"]["saldo_mora"]
    assert unread["anyOf"] == [{"minimum": 0, "type": "number"}, {"type": "null"}]
    assert unread["description"] == (
        "A finite number from 0. May be left out or null. This model does not read it: it is "
        "checked, and changes no answer."
    )
    assert schemas["credit_payment_data"]["properties"]["data"]["maxItems"] == 20
    assert schemas["customer_segments_prediction"]["required"] == [
        "cluster_id",
        "cluster_nombre",
        "imputed",
        "unseen",
    ]


def test_a_line_of_csv_is_shown_as_it_would_be_answered(document, complete):
    told = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["text/csv"]
    line = told["schema"]["description"].removeprefix("Such as ")
    assert line == "4,2000000,12,35,3000000,1000000,180000,2,3,2,0,1,,,,"
    headers = {"Content-Type": "text/csv", "Authorization": f"Bearer {TOKEN}"}
    reply = complete.client.post("/invocations", content=line, headers=headers)
    assert reply.status_code == 200, reply.text


def test_the_document_follows_the_models(tmp_path):
    with running(served=str(tmp_path)) as server:
        publish(tmp_path)
        server.reload_models()
        assert "/predict" in server.client.get("/openapi.json").json()["paths"]


@pytest.mark.slow
def test_schemathesis_finds_no_fault(complete, tmp_path):
    """Valid and invalid requests of every operation, drawn from the document itself."""
    hooks = tmp_path / "hooks.py"
    hooks.write_text(HOOKS)
    command = [
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"{complete.url}/openapi.json",
        "--header",
        f"Authorization: Bearer {TOKEN}",
        "--seed=1",
        "--max-examples=25",
        "--phases=examples,coverage,fuzzing",
        "--generation-database=none",
        "--no-color",
        "--checks=all",
        "--exclude-checks=unsupported_method",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", "SCHEMATHESIS_HOOKS": str(hooks)},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def page(complete):
    """A page of Chromium, which must load nothing from elsewhere and report no problem."""
    import playwright.sync_api as playwright

    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        problems, hosts = [], set()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console", lambda line: problems.append(line.text) if line.type == "error" else None
        )
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{complete.url}/docs")
        yield page
        assert {host for host in hosts if host} == {complete.url.removeprefix("http://")}
        assert problems == []
        browser.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_the_page_sends_the_example_of_a_model_with_the_token(page):
    import playwright.sync_api as playwright

    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(TOKEN)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    operation = page.locator("#operations-predictions-predict_credit_payment")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    playwright.expect(operation.locator("textarea.body-param__text")).to_contain_text(
        "salario_cliente"
    )
    operation.get_by_role("button", name="Execute").click()
    reply = operation.locator(".live-responses-table .response")
    playwright.expect(reply.locator(".response-col_status").first).to_contain_text("200")
    playwright.expect(reply.locator(".highlight-code").first).to_contain_text("paga_a_tiempo")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
