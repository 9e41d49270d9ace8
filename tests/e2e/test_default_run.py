"""The default pipeline on local folders, as `kedro run` runs it."""

import hashlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


# tests/pipelines/eda explores twice; the figures take half of a run
AGAIN = (
    "ingestion,labelling,feature_engineering,ordinal_target,segmentation,training,scoring,"
    "monitoring"
)
TAGS = "purchase_intensity,customer_segments,credit_payment,customer_churn,credit_preauth"


def test_running_every_use_case_again_by_its_tag_changes_no_byte(finished_project, kedro):
    before = digests(finished_project / "data")
    run = kedro(finished_project, "run", f"--pipelines={AGAIN}", f"--tags={TAGS}")
    assert run.returncode == 0, run.stderr
    assert digests(finished_project / "data") == before


def test_segments_end_with_who_they_are_and_where_they_lie(finished_project, kedro):
    run = kedro(
        finished_project, "run", "--pipelines=segmentation,scoring", "--tags=customer_segments"
    )
    assert run.returncode == 0, run.stderr
    assert "data/07_model_output/clientes_segmentados.csv" in run.stdout
    assert "data/08_reporting/customer_segments/segments.html" in run.stdout
    assert "Primer modelo: no hay uno anterior con el que comparar." in run.stdout


def test_a_stage_runs_by_the_deprecated_option_and_ends_with_a_table_of_what_it_made(
    finished_project, kedro
):
    run = kedro(finished_project, "run", "--pipeline=scoring")
    assert run.returncode == 0, run.stderr
    assert "data/07_model_output/purchase_intensity/scores.csv" in run.stdout


def test_a_namespace_narrows_a_stage_to_one_use_case(finished_project, kedro):
    run = kedro(
        finished_project,
        "run",
        "--pipelines=feature_engineering,ordinal_target",
        "--namespaces=purchase_intensity",
    )
    assert run.returncode == 0, run.stderr


def test_a_parameter_that_does_not_exist_stops_the_run_with_its_name_and_no_traceback(
    finished_project, kedro
):
    run = kedro(finished_project, "run", "--params=purchase_intensity.features.categroy=ROPA")
    assert run.returncode != 0
    assert "categroy" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_category_that_does_not_occur_is_answered_with_the_nearest(finished_project, kedro):
    run = kedro(
        finished_project,
        "run",
        "--pipelines=feature_engineering",
        "--params=purchase_intensity.features.category=TECNOLOGIAS",
    )
    assert run.returncode != 0
    assert "Did you mean 'tecnologia'?" in run.stderr
    assert "Traceback" not in run.stderr
