"""The default pipeline on local folders, as `kedro run` runs it."""

import hashlib
import shutil
from pathlib import Path

import pytest
from tests import small_project

pytestmark = pytest.mark.slow

# what reads its own earlier results; training again is held by tests/pipelines/training
AGAIN = "labelling,ordinal_target,segmentation,scoring,monitoring"


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_running_every_use_case_again_changes_no_byte(finished, kedro_command, tmp_path):
    shutil.copytree(finished / "data", tmp_path / "data")
    run = kedro_command(
        f"--pipelines={AGAIN}",
        "--env=test",
        f"--conf-source={finished / 'conf'}",
        CLIENTELA_TEST_ROOT=str(tmp_path / "data"),
    )
    # monitoring that raised an alert ends with 3, and everything is written by then
    assert run.exit_code in (0, 3), run.output
    assert digests(tmp_path / "data") == digests(finished / "data")


def test_a_run_in_the_terminal_ends_with_what_it_made_and_where_that_lies(finished_project):
    run = small_project.kedro(
        finished_project, "run", "--pipelines=segmentation,scoring", "--tags=customer_segments"
    )
    assert run.returncode == 0, run.stderr
    assert "data/07_model_output/clientes_segmentados.csv" in run.stdout
    assert "data/08_reporting/customer_segments/segments.html" in run.stdout
    assert "Segmentos: " in run.stdout


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        ("purchase_intensity.features.categroy=ROPA", "categroy"),
        ("purchase_intensity.features.category=TECNOLOGIAS", "Did you mean 'tecnologia'?"),
    ],
)
def test_a_mistyped_parameter_stops_the_run_with_its_name_and_no_traceback(
    parameter, named, finished, kedro_command, tmp_path
):
    shutil.copytree(finished / "data/03_primary", tmp_path / "03_primary")
    run = kedro_command(
        "--pipelines=feature_engineering",
        "--tags=purchase_intensity",
        f"--params={parameter}",
        "--env=test",
        CLIENTELA_TEST_ROOT=str(tmp_path),
    )
    assert run.exit_code == 1
    assert isinstance(run.exception, SystemExit)
    assert named in run.output
    assert "Traceback" not in run.output
