"""Who is let in, what every reply carries, and what the logs hold."""

import io
import json
import logging

import httpx
import pytest
from tests.serving.models import TWELVE
from tests.serving.running import running

from clientela.exceptions import ConfigurationError
from clientela.serving.auth import ensure_token, load_token
from clientela.serving.observability import AccessLog, JsonFormatter
from clientela.serving.settings import ServingSettings

TOKEN = "a-token-of-sixteen-or-more"  # noqa: S105


@pytest.fixture(scope="module")
def guarded(served):
    with running(served=str(served), token=TOKEN) as server:
        yield server


@pytest.fixture
def anyone(guarded):
    """A client that shows nothing."""
    with httpx.Client(base_url=guarded.url) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/models", "/models/credit_payment", "/metrics", "/nothing", "/segments/1"]
)
def test_a_token_is_asked_for(anyone, path):
    reply = anyone.get(path)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["error"]["code"] == "no_token"


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        f"Bearer  {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        TOKEN,
    ],
)
def test_another_token_is_none(anyone, shown):
    assert anyone.get("/models", headers={"authorization": shown}).status_code == 401


def test_with_the_token_everything_is_answered(guarded):
    assert guarded.client.post("/predict", json={"data": [TWELVE]}).status_code == 200
    assert guarded.client.get("/metrics").status_code == 200
    # the name of the scheme has no case (RFC 9110, section 11.1)
    shown = {"authorization": f"bearer {TOKEN}"}
    assert guarded.client.get("/models", headers=shown).status_code == 200


def test_a_body_of_a_stranger_is_not_read(anyone):
    # more than the limit, which would be another refusal
    reply = anyone.post("/predict", content=b"x" * 7_000_000)
    assert reply.status_code == 401


@pytest.mark.parametrize("path", ["/ping", "/health", "/docs", "/openapi.json"])
def test_checks_and_documents_are_open(anyone, path):
    assert anyone.get(path).status_code == 200


def test_strangers_learn_no_versions(anyone, guarded):
    assert anyone.get("/health").json() == {"status": "ready"}
    assert "models" in guarded.client.get("/health").json()


def test_metrics_can_be_opened_and_documents_closed(served):
    settings = {"token": TOKEN, "open_metrics": True, "open_docs": False}
    with running(served=str(served), **settings) as server, httpx.Client() as client:
        assert client.get(f"{server.url}/metrics").status_code == 200
        assert client.get(f"{server.url}/openapi.json").status_code == 401
        assert client.get(f"{server.url}/docs").status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8000", 200),
        ("LOCALHOST", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8000", 403),
        ("", 403),
    ],
)
def test_without_token_only_names_of_this_machine_are_answered(api, host, status):
    assert api.client.get("/models", headers={"host": host}).status_code == status


def test_the_token_may_stand_in_a_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert load_token(ServingSettings(served="s", token_file=str(path))) == TOKEN
    path.write_text("short\n")
    with pytest.raises(ConfigurationError, match="16 characters or more"):
        load_token(ServingSettings(served="s", token_file=str(path)))
    with pytest.raises(ConfigurationError, match="can't be read: No such file"):
        load_token(ServingSettings(served="s", token_file=str(tmp_path / "none")))


def test_a_token_is_made_up_only_where_others_can_reach_the_port(capsys):
    made = ensure_token(ServingSettings(served="s", host="0.0.0.0")).token  # noqa: S104
    assert made is not None
    assert capsys.readouterr().err.count(made.get_secret_value()) == 1
    for settings in (
        ServingSettings(served="s"),
        ServingSettings(served="s", host="0.0.0.0", trusted=True),  # noqa: S104
        ServingSettings(served="s", host="0.0.0.0", token=TOKEN),  # noqa: S104
    ):
        assert ensure_token(settings) == settings
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", ["/models", "/ping", "/nothing", "/docs"])
def test_every_reply_carries_the_headers_of_security(api, path):
    headers = api.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_a_well_formed_request_id_is_kept(api):
    reply = api.client.get("/nothing", headers={"x-request-id": "order-66.a_b"})
    assert reply.headers["x-request-id"] == reply.json()["request_id"] == "order-66.a_b"


@pytest.mark.parametrize("given", ["", "a b", "ñ".encode(), "x" * 65, "-a", '"'])
def test_another_request_id_is_replaced(api, given):
    ids = {
        api.client.get("/ping", headers={"x-request-id": given}).headers["x-request-id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert all(len(made) == 24 for made in ids)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("DELETE", "/models", 405),
        ("GET", "/", 404),
        ("POST", "/predict/", 404),
        ("GET", "/%00", 404),
        ("OPTIONS", "/predict", 405),
    ],
)
def test_what_there_is_not_is_refused_in_the_same_form(api, method, path, status):
    reply = api.client.request(method, path)
    assert reply.status_code == status
    assert set(reply.json()) == {"error", "request_id"}


@pytest.fixture
def logged(served, monkeypatch):
    """A server, and the lines of its log."""
    out = io.BytesIO()
    monkeypatch.setattr("clientela.serving.app.AccessLog", lambda: AccessLog(out))
    with running(served=str(served)) as server:
        yield server, lambda: [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_request_is_one_line_without_what_it_held(logged):
    server, lines = logged
    dni = "71234567"
    case = {**TWELVE, "tendencia_ingresos": dni}
    server.client.post(f"/predict?x={dni}", json={"data": [case]})
    server.client.post("/predict", json={"data": [case, case]}, headers={"x-request-id": "a"})
    server.client.get(f"/segments/{dni}")
    server.client.get(f"/{dni}")
    first, second, third, fourth = lines()
    assert (first["status"], first["code"]) == (422, "wrong_query")
    assert {name: second[name] for name in ("request_id", "method", "route", "status")} == {
        "request_id": "a",
        "method": "POST",
        "route": "/predict",
        "status": 200,
    }
    assert (second["use_case"], second["rows"]) == ("credit_payment", 2)
    assert (third["status"], fourth["route"]) == (404, "")
    assert dni not in json.dumps([first, second, third, fourth])


def test_a_failure_is_told_without_its_words(served, monkeypatch, caplog):
    dni = "71234567"

    def fail(*_):
        raise ValueError(f"could not convert {dni}")

    with running(served=str(served)) as server:
        monkeypatch.setattr("clientela.serving.service.build_columns", fail)
        with caplog.at_level(logging.ERROR):
            reply = server.client.post("/predict", json={"data": [TWELVE]})
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "internal")
    assert dni not in reply.text
    (record,) = [
        record for record in caplog.records if record.name == "clientela.serving.observability"
    ]
    line = json.loads(JsonFormatter().format(record))
    assert line["error"]["type"] == "ValueError"
    assert any("fail" in place for place in line["error"]["at"])
    assert dni not in json.dumps(line)
