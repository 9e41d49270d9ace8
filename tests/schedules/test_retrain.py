"""The command that cron runs: one at a time, logged, loud only when it fails."""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

KEDRO = '#!/bin/sh\necho "kedro $*"\n[ -z "$FAILS" ] || { echo "sin datos"; exit 3; }\n'
Ran = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, project_root: Path) -> Path:
    """A clone whose Kedro prints its words."""
    clone = tmp_path / "un clon"
    (clone / "schedules").mkdir(parents=True)
    shutil.copy(project_root / "schedules/retrain.sh", clone / "schedules")
    program = clone / ".venv/bin/kedro"
    program.parent.mkdir(parents=True)
    program.write_text(KEDRO, "utf-8")
    program.chmod(0o755)
    return clone


@pytest.fixture
def retrain(project: Path, tmp_path: Path) -> Ran:
    """Runs the command as cron does: from elsewhere, with next to no environment."""
    if shutil.which("flock") is None:
        pytest.skip("flock is not installed (util-linux has it)")

    def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [project / "schedules/retrain.sh", *words],
            env={"PATH": os.environ["PATH"], **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def log_of(project: Path) -> str:
    return (project / "logs/customer_segments.log").read_text("utf-8")


def test_a_run_is_of_one_use_case_with_all_it_needs_and_says_nothing(retrain: Ran, project: Path):
    ran = retrain("customer_segments", "--env=aws")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert "kedro run --tags=customer_segments --env=aws\n" in log_of(project)


def test_the_log_keeps_earlier_runs(retrain: Ran, project: Path):
    retrain("customer_segments")
    retrain("customer_segments")
    assert len(re.findall(r"^=== \S+ \S+ customer_segments$", log_of(project), re.MULTILINE)) == 2


def test_a_failure_keeps_its_exit_code_and_shows_the_end_of_the_log(retrain: Ran, project: Path):
    ran = retrain("customer_segments", FAILS="yes")
    assert ran.returncode == 3
    assert "customer_segments failed with exit code 3" in ran.stderr
    assert "sin datos" in ran.stderr
    assert "sin datos" in log_of(project)


def test_a_run_beside_another_gives_up_and_says_so(retrain: Ran, project: Path):
    (project / "logs").mkdir()
    with (project / "logs/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = retrain("customer_segments", LOCK_WAIT="0")
    assert ran.returncode == 75
    assert "another run still holds" in ran.stderr
    assert not (project / "logs/customer_segments.log").exists()


def test_the_lock_is_free_after_a_failure(retrain: Ran):
    retrain("customer_segments", FAILS="yes")
    assert retrain("customer_segments", LOCK_WAIT="0").returncode == 0


def test_the_example_of_cron_runs_use_cases_that_exist(project_root: Path):
    text = (project_root / "schedules/crontab.example").read_text("utf-8")
    lines = [line for line in text.splitlines() if re.match(r"[\d*]", line)]
    known = yaml.safe_load((project_root / "conf/base/use_cases.yml").read_text("utf-8"))
    assert lines
    for line in lines:
        *when, command = line.split(maxsplit=5)
        assert all(re.fullmatch(r"\d+|\*", field) for field in when)
        script, use_case = shlex.split(command)
        assert (project_root / script.removeprefix("$PROJECT/")).exists()
        assert use_case in known


@pytest.mark.parametrize("name", ["retrain.sh", "airflow-check.sh"])
def test_a_script_is_executable_and_parses(name: str, project_root: Path):
    script = project_root / "schedules" / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True, timeout=30)
