"""`clientela invoke` asks a real server, by HTTP and as an endpoint of SageMaker."""

import csv
import json
from datetime import datetime

import pytest
from click.testing import CliRunner
from tests.serving.conftest import api, plain_scorer, port, served  # noqa: F401 - fixtures
from tests.serving.models import TWELVE, probability
from tests.serving.running import running
from tests.serving.test_sagemaker import container  # noqa: F401 - a fixture

from clientela.cli.main import cli

TOKEN = "a-token-of-sixteen-or-more"  # noqa: S105
SALARIES = [3_000_000, 1, 500_000, 10_000_000, 20]


@pytest.fixture
def invoke(monkeypatch, project_root, data_root):
    monkeypatch.chdir(project_root)
    monkeypatch.delenv("CLIENTELA_API_TOKEN", raising=False)

    def run(*words):
        done = CliRunner().invoke(cli, ["invoke", *words, "--env=test"])
        files = sorted((data_root / "07_model_output/results").glob("*.json"))
        return done, [json.loads(path.read_text("utf-8")) for path in files], files

    return run


@pytest.fixture
def applicants(tmp_path):
    def write(*changes):
        path = tmp_path / "applicants.csv"
        rows = [{"id_fila": f"f{n}", **TWELVE, **change} for n, change in enumerate(changes)]
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return str(path)

    return write


def test_each_row_has_a_record_in_the_required_form(api, invoke, applicants):  # noqa: F811
    path = applicants(*({"salario_cliente": salary} for salary in SALARIES))
    done, (records,), (place,) = invoke("--input", path, "--url", api.url, "--event=paid")
    assert done.exit_code == 0, done.output
    assert "5 of 5 rows answered by credit_payment champion" in done.output
    assert "does not ask for: id_fila" in done.output
    assert place.name.startswith("inference_results2")
    assert len(records) == 5
    for salary, record in zip(SALARIES, records, strict=True):
        truth = probability(salary, TWELVE["cuota_pactada"])
        assert list(record) == [
            "input_data",
            "probability_paid",
            "is_paid",
            "target",
            "confidence",
            "timestamp",
        ]
        assert record["input_data"]["salario_cliente"] == salary
        assert record["probability_paid"] == pytest.approx(truth)
        assert record["is_paid"] is bool(truth >= 0.5)
        assert record["confidence"] == pytest.approx(max(truth, 1 - truth))
        assert datetime.fromisoformat(record["timestamp"]).tzinfo is None


def test_rows_that_cant_be_asked_about_keep_their_place_and_their_reason(
    api,  # noqa: F811
    invoke,
    applicants,
):
    path = applicants({}, {"edad_cliente": "treinta"}, {"tipo_credito": "x" * 300}, {})
    done, (records,), _ = invoke("--input", path, "--url", api.url, "--key=id_fila", "--batch=2")
    assert done.exit_code == 1
    assert "2 of 4 rows answered" in done.output
    assert "row 2: edad_cliente: expected a whole number from 0 to 150; got text" in done.output
    # its length is the server's to refuse
    assert "row 3: tipo_credito: expected a word of 1 to 200 characters" in done.output
    assert [record["id_fila"] for record in records] == ["f0", "f1", "f2", "f3"]
    assert ["error" in record for record in records] == [False, True, True, False]


def test_another_use_case_can_be_asked(api, invoke, tmp_path):  # noqa: F811
    path = tmp_path / "customers.csv"
    path.write_text("gasto_farmacia,gasto_supermercado\n5,1\n1,5\n")
    done, (records,), _ = invoke(
        "--input", str(path), "--url", api.url, "--use-case=customer_segments"
    )
    assert done.exit_code == 0, done.output
    assert [record["target"] for record in records] == ["Farmacia", "Supermercado"]
    assert [record["expected"] for record in records] == [7, 3]


def test_the_records_can_go_elsewhere(api, invoke, applicants, tmp_path):  # noqa: F811
    place = tmp_path / "elsewhere"
    done, _, _ = invoke("--input", applicants({}), "--url", api.url, "--output", str(place))
    assert done.exit_code == 0, done.output
    assert len(list((place / "results").glob("inference_results*.json"))) == 1


def test_a_token_is_shown(served, invoke, applicants, monkeypatch):  # noqa: F811
    path = applicants({})
    with running(served=str(served), token=TOKEN) as guarded:
        done, _, _ = invoke("--input", path, "--url", guarded.url)
        assert done.exit_code == 1
        assert "refuses to be asked: Expected the header Authorization" in done.output
        monkeypatch.setenv("CLIENTELA_API_TOKEN", TOKEN)
        done, (records,), _ = invoke("--input", path, "--url", guarded.url)
        assert done.exit_code == 0, done.output
        assert len(records) == 1


def test_without_a_server_the_error_says_what_to_start(
    invoke,
    applicants,
    port,  # noqa: F811
    monkeypatch,
):
    monkeypatch.setattr("clientela.serving.client.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("time.sleep", lambda _: None)
    done, records, _ = invoke("--input", applicants({}), "--url", f"http://127.0.0.1:{port}")
    assert (done.exit_code, records) == (1, [])
    assert "gave no answer in 4 attempts (ConnectionRefusedError)" in done.output
    assert "Traceback" not in done.output


def test_an_unknown_use_case_is_refused_with_the_nearest(api, invoke, applicants):  # noqa: F811
    done, _, _ = invoke("--input", applicants({}), "--url", api.url, "--use-case=credit_paymnt")
    assert done.exit_code == 1
    assert "Did you mean 'credit_payment'?" in done.output


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://here", "http://"])
def test_an_address_that_is_none_is_refused(invoke, applicants, url):
    done, _, _ = invoke("--input", applicants({}), "--url", url)
    assert "should be like http://127.0.0.1:8000" in done.output


def test_an_endpoint_is_asked_through_sagemakers_own_client(
    container,  # noqa: F811
    invoke,
    applicants,
    monkeypatch,
):
    for name, value in {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": container.url,
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    path = applicants({}, {"edad_cliente": ""}, {"tipo_credito": "x" * 300}, {})
    done, (records,), _ = invoke("--input", path, "--endpoint", "clientela-credit-payment")
    assert done.exit_code == 1
    assert "2 of 4 rows answered by credit_payment champion" in done.output
    assert ["error" in record for record in records] == [False, True, True, False]
    assert records[0]["is_paga_a_tiempo"] is True
