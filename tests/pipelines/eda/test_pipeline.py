import hashlib
import json
import re

import pytest

from clientela.pipelines.eda.pipeline import create_pipeline
from clientela.use_cases import UseCase


def file_hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_shared_tables_are_read_without_a_namespace(retail):
    inputs = create_pipeline(retail).inputs()
    assert inputs == {"transactions", "customers", "params:retail.eda"}


def test_a_use_case_explores_its_model_input_and_the_persistence_of_buying(purchase_intensity):
    pipeline = create_pipeline(purchase_intensity)
    own = {name.removeprefix("purchase_intensity.") for name in pipeline.inputs()}
    assert {"transactions", "model_input", "feature_schema"} <= own
    assert "purchase_intensity.eda_plot_persistence" in pipeline.outputs()


def test_a_table_is_explored_beside_its_model_input():
    case = credit("binary")
    pipeline = create_pipeline(case)
    own = {name.removeprefix("credit.") for name in pipeline.inputs()}
    assert own == {"accepted_loans", "model_input", "feature_schema", "params:credit.eda"}
    looks = {"eda_quality_loans", "eda_quality_model_input", "eda_target"}
    assert {f"credit.{name}" for name in looks} <= pipeline.all_outputs()


def credit(task):
    return UseCase(
        name="credit",
        kind="table",
        task=task,
        stages=("eda",),
        tags=("credit",),
        tables={"loans": {}},
    )


@pytest.mark.parametrize(("task", "expected"), [("binary", {"eda_target"}), ("segments", set())])
def test_a_table_of_cases_needs_no_transactions(task, expected):
    case = credit(task)
    pipeline = create_pipeline(case)
    assert "transactions" not in pipeline.inputs()
    names = {node.name.removeprefix("credit.eda.") for node in pipeline.nodes}
    assert names & {"eda_target", "eda_persistence"} == expected


def test_shared_tables_of_cases_have_no_activity():
    entry = UseCase(name="shared", kind="table", stages=("eda",), tables={"loans": {}})
    assert "shared.eda_activity" not in create_pipeline(entry).all_outputs()


def test_tables_become_findings_plots_and_a_page_that_shows_no_customer(retail, explored):
    folder = explored(retail)
    plots = {path.stem for path in folder.glob("*.png")}
    assert plots == {
        "months", "hours", "categories", "customers", "transactions_numbers",
        "transactions_categories", "customers_numbers", "customers_categories",
    }  # fmt: skip
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    assert found["tables"]["transactions"]["rows"] == 600
    assert found["activity"]["categories"]["tecnologia"]["spellings"] == 2
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("data:image/png") == len(plots)
    for text in (page, json.dumps(found)):
        assert not re.search(r"CLIENTE-\d|T-\d{5}", text)


def test_a_model_input_becomes_findings_on_target_and_persistence(purchase_intensity, explored):
    folder = explored(purchase_intensity)
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    assert sum(found["target"]["counts"].values()) == 60
    assert found["persistence"]["category"] == "TECNOLOGÍA"
    assert 0 < found["persistence"]["binary_rule"]["accuracy"] <= 1
    assert len(found["summary"]) == 3
    page = (folder / "report.html").read_text("utf-8")
    assert "CLIENTE-" not in page
    assert "¿Predice el trimestre pasado a éste?" in page


def test_a_second_run_writes_the_same_bytes(purchase_intensity, explored):
    first = file_hashes(explored(purchase_intensity, "first"))
    second = file_hashes(explored(purchase_intensity, "second"))
    assert first == second
    assert len(first) > 10
