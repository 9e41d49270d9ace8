"""What the OpenAPI document promises, and whether the server keeps it."""

import json
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
    assert document["security"] == [{"token": []}]


def test_a_request_is_documented_by_the_fields_of_its_model(document):
    schemas = document["components"]["schemas"]
    case = schemas["credit_payment.case"]
    assert list(case["properties"]) == [*(field.name for field in FIELDS), "_id"]
    assert case["required"] == list(TWELVE)
    assert case["examples"] == [TWELVE]
    unread = case["properties"]["saldo_mora"]
    assert unread["anyOf"] == [{"minimum": 0, "type": "number"}, {"type": "null"}]
    assert unread["description"] == (
        "A finite number from 0. May be left out or null. This model does not read it: it is "
        "checked, and changes no answer."
    )
    assert schemas["credit_payment.cases"]["properties"]["data"]["maxItems"] == 20
    assert schemas["customer_segments.reply"]["properties"]["predictions"]["items"]["required"] == [
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


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_the_page_shows_every_operation_and_sends_a_request(complete):
    import playwright.sync_api as playwright

    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        hosts = set()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{complete.url}/docs")
        page.fill("#token", TOKEN)
        page.press("#token", "Enter")
        operation = page.locator("details", has_text="/predict").first
        operation.locator("summary").click()
        assert "salario_cliente" in operation.locator("table").inner_text()
        operation.locator("button").click()
        reply = operation.locator("pre")
        playwright.expect(reply).to_contain_text("200")
        playwright.expect(reply).to_contain_text("paga_a_tiempo")
        shown = json.loads(reply.inner_text().split("\n\n", 1)[1])
        assert len(shown["predictions"]) == 1
        # nothing comes from elsewhere
        assert hosts == {complete.url.removeprefix("http://")}
        assert problems == []
        browser.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_the_page_asks_for_no_token_where_none_is_needed_and_fits_a_telephone(api):
    import playwright.sync_api as playwright

    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.goto(f"{api.url}/docs")
        operation = page.locator("details", has_text="/predict").first
        operation.locator("summary").click()
        playwright.expect(operation.locator("table")).to_be_visible()
        playwright.expect(page.locator("#who")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
