"""`clientela create-sample` writes the CSV that `clientela invoke` reads."""

import csv
import json
import re

import pytest
from click.testing import CliRunner
from tests.registry.loans import USE_CASES, packaged
from tests.serving.models import publish_bytes
from tests.serving.running import running

from clientela.cli.main import cli
from clientela.features.columns import build_columns
from clientela.registry.package import open_package
from clientela.registry.scorers import build_scorer

# requirements of credit pre-authorisation, 8
APPLICANT = {
    "Age": 35,
    "Sex": "male",
    "Job": 2,
    "Housing": "own",
    "Savings account": "little",
    "Checking account": "little",
    "Credit amount": 2500,
    "Duration": 12,
    "Purpose": "car",
}
RESULT = {
    "input_data": APPLICANT,
    "probability_fraud": 1.9e-05,
    "is_fraud": False,
    "target": "good risk",
    "confidence": 0.99998,
    "timestamp": "2025-07-24T22:28:47.927439",
}


@pytest.fixture
def written(tmp_path):
    """Runs the command on what is given; its outcome, and the rows that it wrote."""

    def run(content, *words):
        source, target = tmp_path / "applicants.json", tmp_path / "applicants.csv"
        source.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        asked = ["create-sample", "--input", str(source), "--output", str(target), *words]
        done = CliRunner().invoke(cli, asked)
        text = target.read_text("utf-8") if target.exists() else ""
        rows = list(csv.reader(text.splitlines()))
        return done, rows

    return run


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch, project_root):
    monkeypatch.chdir(project_root)


VALUES = [str(value) for value in APPLICANT.values()]


@pytest.mark.parametrize(
    ("content", "count"),
    [(APPLICANT, 1), ([APPLICANT, APPLICANT], 2), (RESULT, 1), ([RESULT, APPLICANT], 2)],
)
def test_a_record_a_list_and_the_required_results_become_rows(written, content, count):
    done, (header, *rows) = written(content)
    assert done.exit_code == 0, done.output
    assert header == list(APPLICANT)
    assert rows == [VALUES] * count
    assert f"{count} applicants of credit_preauth" in done.output


def test_the_order_of_a_record_is_of_no_matter_and_accounts_may_be_missing(written):
    turned = dict(reversed(APPLICANT.items())) | {"Savings account": None}
    del turned["Checking account"]
    done, (header, row) = written(turned)
    assert done.exit_code == 0, done.output
    found = dict(zip(header, row, strict=True))
    assert (found["Savings account"], found["Checking account"]) == ("", "")
    assert found["Credit amount"] == "2500"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            {**APPLICANT, "Savings acount": "rich"},
            "'Savings acount'.*'Savings account'",
        ),
        ({**APPLICANT, "Risk": "good risk"}, "Record 1 holds 'Risk'"),
        ([APPLICANT, {**APPLICANT, "Age": None}], "Record 2 lacks a value of Age; only"),
        ({"Age": 35}, "lacks a value of Sex, Job, Housing, Credit amount, Duration, Purpose"),
        ({**APPLICANT, "Job": [2]}, "Job should be a word or a number"),
        ([], "the list is empty"),
        ([[1]], "record 1 is something else"),
        ("{", "can't be read as JSON"),
        ('{"Age": NaN}', "NaN is no number of JSON"),
    ],
)
def test_what_is_no_applicant_is_refused_by_name(written, content, complaint):
    done, rows = written(content)
    assert (done.exit_code, rows) == (1, [])
    assert "Traceback" not in done.output
    assert re.search(complaint, done.output), done.output


def test_a_file_that_is_not_there_and_a_use_case_without_a_table_are_named(written, tmp_path):
    done = CliRunner().invoke(
        cli, ["create-sample", "--input", str(tmp_path / "x.json"), "--output", "x.csv"]
    )
    assert "No file lies at" in done.output
    done, _ = written(APPLICANT, "--use-case=purchase_intensity")
    assert "No use case on a table that is on is called 'purchase_intensity'" in done.output


@pytest.fixture(scope="module")
def desk():
    """A real server with a real model, learned from simulated applications."""
    asked = USE_CASES["applications"]()
    model = asked.fitted("xgboost_ajustado")
    told = {"use_case": "credit_preauth", "classes": ("good risk", "bad risk")}
    draft = open_package(packaged(model, asked.fields, asked.params, **told)[0], "here")
    answers = build_scorer(draft).answers(build_columns([APPLICANT], asked.fields))
    example = {
        "case": APPLICANT,
        "label": draft.manifest.classes[int(answers.codes[0])],
        "expected": float(answers.expected[0]),
    }
    return packaged(model, asked.fields, asked.params, **told, example=example), example


def test_json_becomes_a_csv_that_becomes_the_required_results(written, desk, tmp_path, monkeypatch):
    # tests of the server put a formula in the place of models, for as long as their session lasts
    monkeypatch.setattr("clientela.serving.model_store.build_scorer", build_scorer)
    (content, manifest), example = desk
    publish_bytes(tmp_path / "served", content, manifest)
    applicants = [
        APPLICANT,
        {**APPLICANT, "Savings account": None},
        {**APPLICANT, "Savings account": "unknown"},
    ]
    done, _ = written(applicants)
    assert done.exit_code == 0, done.output
    with running(served=str(tmp_path / "served")) as server:
        asked = [
            "invoke",
            "--input",
            str(tmp_path / "applicants.csv"),
            "--url",
            server.url,
            "--use-case=credit_preauth",
        ]
        done = CliRunner().invoke(cli, [*asked, "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    (place,) = (tmp_path / "results").glob("inference_results*.json")
    first, gap, said = json.loads(place.read_text("utf-8"))
    assert list(first) == list(RESULT)
    assert first["input_data"] == APPLICANT
    assert list(first["input_data"]) == list(APPLICANT)
    assert first["probability_fraud"] == pytest.approx(example["expected"])
    assert first["is_fraud"] is (first["target"] == "bad risk")
    assert first["confidence"] == pytest.approx(
        max(first["probability_fraud"], 1 - first["probability_fraud"])
    )
    assert gap["probability_fraud"] == said["probability_fraud"] != first["probability_fraud"]
    # and back: the results are applicants again
    done, (_, *rows) = written(json.loads(place.read_text("utf-8")))
    assert rows[0] == VALUES
