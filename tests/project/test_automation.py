"""What runs elsewhere, beyond what its own linters see."""

from pathlib import Path

import pytest
import yaml


@pytest.mark.parametrize(("base", "head", "allowed"), [
    ("main", "staging", True),
    ("main", "feature/mine", False),
    ("staging", "feature/mine", True),
])  # fmt: skip
def test_main_takes_only_staging(base: str, head: str, allowed: bool, project_root: Path, shell):
    workflow = yaml.safe_load((project_root / ".github/workflows/ci.yml").read_text("utf-8"))
    (step,) = workflow["jobs"]["flow"]["steps"]
    code = shell(step["run"], GITHUB_BASE_REF=base, GITHUB_HEAD_REF=head)
    assert (code == 0) == allowed


@pytest.mark.parametrize("name", [".ci/run", ".ci/services"])
def test_a_script_of_ci_can_be_run(name: str, project_root: Path):
    assert (project_root / name).stat().st_mode & 0o111
