"""The page on adding a use case, followed to the letter."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.docs.conftest import RunKedro, Sample
from tests.docs.markdown import blocks, commands

PAGE = "docs/adding-a-use-case.md"


@pytest.fixture
def with_new_entry(sample: Sample, tmp_path: Path) -> Sample:
    """The sample, with the configuration that the page's first two steps lead to."""
    shutil.copytree(sample.conf, tmp_path / "conf")
    (entry,) = blocks("yaml", PAGE)
    use_cases = tmp_path / "conf/base/use_cases.yml"
    use_cases.write_text(use_cases.read_text("utf-8") + "\n" + entry.text, "utf-8")
    for command in commands(PAGE):
        if command.startswith("sed "):
            subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    small = yaml.safe_load((tmp_path / "conf/test/parameters.yml").read_text("utf-8"))
    small["purchase_home"] = small["purchase_intensity"]
    (tmp_path / "conf/test/parameters.yml").write_text(yaml.safe_dump(small), "utf-8")
    return Sample(sample.data, tmp_path / "conf")


def moments(folder: Path) -> dict[str, int]:
    """When each file was written last."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in files}


@pytest.mark.slow
def test_the_new_use_case_runs_and_writes_in_places_of_its_own(
    with_new_entry: Sample, run_command: RunKedro
):
    assert "kedro run --tags=purchase_home" in commands(PAGE)
    before = moments(with_new_entry.data)
    # what it shares has run already, and exploring it writes more of the same
    for stages in ("feature_engineering,ordinal_target", "training,scoring"):
        run_command(["--namespaces=purchase_home", f"--pipelines={stages}"], with_new_entry)
    after = moments(with_new_entry.data)
    written = [name for name, moment in after.items() if before.get(name) != moment]
    assert [name for name in written if "purchase_home" not in name] == []
    assert {
        "08_reporting/purchase_home/model_card.html",
        "07_model_output/purchase_home/scores.csv",
    } <= set(written)
