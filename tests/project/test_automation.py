"""What runs elsewhere, beyond what its own linters see: workflows, scans, updates."""

import re
from pathlib import Path

import pytest
import yaml
from tests.docs.markdown import text_of

FLOW = ("feature", "staging", "main")


@pytest.fixture(scope="module")
def workflow(project_root: Path) -> dict:
    path = project_root / ".github/workflows/ci.yml"
    # YAML's own word for on is true
    return {str(k): v for k, v in yaml.safe_load(path.read_text("utf-8")).items()}


@pytest.fixture(scope="module")
def sonar(project_root: Path) -> dict[str, str]:
    lines = (project_root / "sonar-project.properties").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_it_runs_on_every_push_and_on_what_goes_up_the_branches(workflow):
    triggers = workflow["True"]
    assert triggers["push"] is None
    assert triggers["pull_request"]["branches"] == ["staging", "main"]


def test_no_job_may_more_than_read_and_none_keeps_credentials(workflow):
    assert workflow["permissions"] == {}
    granted = [job.get("permissions", {}) for job in workflow["jobs"].values()]
    assert [one for one in granted if one not in ({}, {"contents": "read"})] == []
    checkouts = [s for s in steps(workflow) if s.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(workflow["jobs"]) - 1
    assert [s for s in checkouts if s["with"]["persist-credentials"] is not False] == []


def test_every_action_is_pinned_by_its_commit_and_says_which_release_that_is(project_root: Path):
    text = (project_root / ".github/workflows/ci.yml").read_text("utf-8")
    used = re.findall(r"uses: (.+)$", text, re.MULTILINE)
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one)] == []


def test_it_runs_the_make_targets_that_the_documentation_names(workflow):
    run = [step["run"] for step in steps(workflow) if "run" in step]
    made = {command for command in run if command.startswith("make ")}
    assert made == {"make install", "make check", "make coverage", "make image"}
    assert [one for one in sorted(made) if f"`{one}`" not in text_of("CONTRIBUTING.md")] == []


def test_every_job_ends_by_itself(workflow):
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []


def test_only_the_scan_sees_the_token_and_without_one_it_does_nothing(workflow, project_root):
    text = (project_root / ".github/workflows/ci.yml").read_text("utf-8")
    assert text.count("secrets.") == 1
    scan = workflow["jobs"]["sonar"]
    assert set(scan["env"]) == {"SONAR_TOKEN"}
    assert {step["if"] for step in scan["steps"]} == {"env.SONAR_TOKEN != ''"}
    assert [step for step in scan["steps"] if "run" in step] == []


def test_the_scan_reads_the_coverage_that_the_tests_left(workflow, sonar, project_root: Path):
    (upload,) = [s for s in steps(workflow) if "upload-artifact" in s.get("uses", "")]
    (download,) = [s for s in steps(workflow) if "download-artifact" in s.get("uses", "")]
    assert workflow["jobs"]["sonar"]["needs"] == "test"
    assert upload["with"]["name"] == download["with"]["name"]
    assert upload["with"]["path"] == sonar["sonar.python.coverage.reportPaths"]
    makefile = (project_root / "Makefile").read_text("utf-8")
    assert "--cov-report=xml " in makefile  # coverage.xml where nothing else is said


def test_what_is_scanned_is_there(sonar, project_root: Path):
    places = {name: sonar[name].split(",") for name in ("sonar.sources", "sonar.tests")}
    for paths in places.values():
        assert [path for path in paths if not (project_root / path).is_dir()] == []
    assert not set(places["sonar.sources"]) & set(places["sonar.tests"])


@pytest.mark.parametrize(("base", "head", "allowed"), [
    ("main", "staging", True),
    ("main", "feature/mine", False),
    ("staging", "feature/mine", True),
])  # fmt: skip
def test_main_takes_only_staging(base: str, head: str, allowed: bool, workflow, shell):
    (step,) = workflow["jobs"]["flow"]["steps"]
    code = shell(step["run"], GITHUB_BASE_REF=base, GITHUB_HEAD_REF=head)
    assert (code == 0) == allowed


def test_the_branch_flow_is_documented(project_root: Path):
    assert " → ".join(FLOW) in text_of("CONTRIBUTING.md")
    updates = yaml.safe_load((project_root / ".github/dependabot.yml").read_text("utf-8"))
    assert {update["target-branch"] for update in updates["updates"]} == {"staging"}


@pytest.mark.parametrize("name", [".ci/run", ".ci/services"])
def test_a_script_of_ci_can_be_run(name: str, project_root: Path):
    assert (project_root / name).stat().st_mode & 0o111
