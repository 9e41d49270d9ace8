"""Predictions over real connections."""

import json
import threading

import numpy as np
import pytest
from tests.serving.models import FIELDS, TWELVE, probability
from tests.serving.running import running


def test_the_literal_example_of_the_requirement_is_answered(api):
    reply = api.client.post("/predict", json={"data": [TWELVE]})
    assert reply.status_code == 200
    (prediction,) = reply.json()["predictions"]
    truth = probability(TWELVE["salario_cliente"], TWELVE["cuota_pactada"])
    assert prediction["probabilidad"] == pytest.approx(truth)
    assert prediction["clase"] == "paga_a_tiempo"
    assert prediction["imputed"] == [
        field.name for field in FIELDS if field.read and not field.required
    ]
    assert "reasons" not in prediction
    assert reply.json()["model"]["use_case"] == "credit_payment"


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_every_case_has_its_own_answer_in_order_small_or_large(api, rows):
    salaries = np.random.default_rng(rows).integers(1, 10**7, rows).tolist()
    cases = [{**TWELVE, "salario_cliente": salary} for salary in salaries]
    reply = api.client.post("/models/credit_payment/predict", json={"data": cases})
    said = [prediction["probabilidad"] for prediction in reply.json()["predictions"]]
    assert said == pytest.approx(probability(np.array(salaries), TWELVE["cuota_pactada"]).tolist())


def test_another_use_case_is_asked_by_its_name(api):
    reply = api.client.post(
        "/models/customer_segments/predict",
        json={"data": [{"gasto_farmacia": 9, "gasto_supermercado": 1}]},
    )
    assert reply.json()["predictions"] == [
        {"cluster_id": 7, "cluster_nombre": "Farmacia", "imputed": [], "unseen": []}
    ]


def test_reasons_are_given_on_request(api):
    reply = api.client.post("/predict?reasons=true", json={"data": [TWELVE]})
    assert reply.json()["predictions"][0]["reasons"] == ["el salario"]
    reply = api.client.post("/predict?reasons=false", json={"data": [TWELVE]})
    assert "reasons" not in reply.json()["predictions"][0]


def test_reasons_have_a_lower_limit_of_cases(api):
    reply = api.client.post("/predict?reasons=true", json={"data": [TWELVE] * 201})
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "too_many_cases"


@pytest.mark.parametrize("query", ["reasons=maybe", "reasons", "x=1", "reasons=true&reasons=true"])
def test_another_query_is_refused(api, query):
    reply = api.client.post(f"/predict?{query}", json={"data": [TWELVE]})
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "wrong_query")


def test_what_the_model_never_learned_from_is_told(api):
    reply = api.client.post("/predict", json={"data": [{**TWELVE, "salario_cliente": 2e9}]})
    assert reply.json()["predictions"][0]["unseen"] == ["salario_cliente"]


def test_a_field_that_only_other_models_read_is_checked_and_changes_nothing(api):
    cases = [TWELVE, {**TWELVE, "saldo_mora": None}, {**TWELVE, "saldo_mora": 1e12}]
    without, null, full = api.client.post("/predict", json={"data": cases}).json()["predictions"]
    assert without == null == full
    assert "saldo_mora" not in full["imputed"] + full["unseen"]
    reply = api.client.post("/predict", json={"data": [{**TWELVE, "saldo_mora": -1}]})
    (problem,) = reply.json()["error"]["problems"]
    assert problem["problem"] == "expected a finite number from 0; got one outside"


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON;charset=UTF-8", 200),
        ("application/json; charset=latin-1", 415),
        ("text/csv", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_the_body_has_to_be_called_json(api, media, status):
    content = json.dumps({"data": [TWELVE]})
    reply = api.client.post("/predict", content=content, headers={"content-type": media})
    assert reply.status_code == status


def test_an_unknown_use_case_is_refused_with_the_nearest(api):
    reply = api.client.post("/models/credit_paymnt/predict", json={"data": [TWELVE]})
    assert reply.status_code == 404
    assert "Did you mean 'credit_payment'?" in reply.json()["error"]["message"]


def test_many_at_a_time_get_each_their_own(api):
    found = {}

    def ask(salary):
        cases = [{**TWELVE, "salario_cliente": salary}] * (1 if salary % 2 else 300)
        reply = api.client.post("/predict", json={"data": cases})
        found[salary] = {p["probabilidad"] for p in reply.json()["predictions"]}

    threads = [threading.Thread(target=ask, args=(salary,)) for salary in range(1000, 1040)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for salary in range(1000, 1040):
        (said,) = found[salary]
        assert said == pytest.approx(probability(salary, TWELVE["cuota_pactada"]))


def test_the_models_are_listed_with_all_that_a_caller_needs(api):
    models = {model["use_case"]: model for model in api.client.get("/models").json()["models"]}
    credit = models["credit_payment"]
    assert [field["name"] for field in credit["fields"]] == [field.name for field in FIELDS]
    assert credit["example"]["case"] == TWELVE
    assert credit["grades"]["roc_auc"]["value"] == 0.7
    # of the training rows nothing leaves, not even their hash
    assert "model" not in credit
    assert api.client.get("/models/credit_payment").json() == credit
    assert api.client.get("/models/nothing").status_code == 404


def test_without_models_nothing_is_ready(tmp_path):
    with running(served=str(tmp_path)) as empty:
        health = empty.client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "empty")
        assert empty.client.get("/ping").status_code == 503
        assert empty.client.post("/predict", json={"data": [TWELVE]}).status_code == 404
        assert "/predict" not in empty.client.get("/openapi.json").json()["paths"]


def test_health_says_what_is_served_and_how_fresh_that_is(api):
    health = api.client.get("/health").json()
    assert health["status"] == "ready"
    assert {model["use_case"] for model in health["models"]} == {
        "credit_payment",
        "customer_segments",
    }
    assert health["polled_seconds_ago"] >= 0


def test_requests_rows_refusals_and_models_are_counted(served):
    with running(served=str(served)) as fresh:
        fresh.client.post("/predict", json={"data": [TWELVE] * 3})
        fresh.client.post("/predict", json={"data": []})
        fresh.client.get("/nothing/like/it")
        lines = fresh.client.get("/metrics").text.splitlines()
    info = "clientela_model_info"
    version = fresh.service.models.get_model("credit_payment").manifest.version
    for line in (
        'clientela_requests_total{route="/predict",status="200"} 1.0',
        'clientela_requests_total{route="/predict",status="422"} 1.0',
        'clientela_requests_total{route="",status="404"} 1.0',
        'clientela_request_seconds_count{route="/predict"} 2.0',
        'clientela_rows_total{use_case="credit_payment"} 3.0',
        'clientela_refusals_total{code="wrong_cases"} 1.0',
        f'{info}{{role="champion",use_case="credit_payment",version="{version}"}} 1.0',
    ):
        assert line in lines
    assert "nothing" not in "".join(lines)
