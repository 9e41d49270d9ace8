"""The page on adding a use case, followed to the letter.

Its first part, a table of one's own, is followed by tests/pipelines/own_table.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.docs.conftest import RunKedro, Sample
from tests.docs.markdown import blocks, commands

PAGE = "docs/adding-a-use-case.md"
FILE = re.compile(r"# (conf/(?:base|local)/\S+\.yml)\n")
LIKE = {"purchase_home": "purchase_intensity", "value_segments": "customer_segments"}


@pytest.fixture
def with_new_entries(sample: Sample, tmp_path: Path) -> Sample:
    """The sample, with the configuration that the page leads to."""
    shutil.copytree(sample.conf, tmp_path / "conf")
    for block in blocks("yaml", PAGE):
        place = FILE.match(block.text)
        assert place, "the first line of a block names the file: # conf/<env>/<file>.yml"
        with (tmp_path / place[1]).open("a", encoding="utf-8") as file:
            file.write("\n" + block.text)
    for command in commands(PAGE):
        if command.startswith("sed "):
            subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    small = yaml.safe_load((tmp_path / "conf/test/parameters.yml").read_text("utf-8"))
    small |= {name: small[template] for name, template in LIKE.items()}
    (tmp_path / "conf/test/parameters.yml").write_text(yaml.safe_dump(small), "utf-8")
    return Sample(sample.data, tmp_path / "conf")


def moments(folder: Path) -> dict[str, int]:
    """When each file was written last."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in files}


# what a new entry shares has run already, and exploring it writes more of the same
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "runs", "expected"),
    [
        (
            "purchase_home",
            ("feature_engineering,ordinal_target", "training,scoring"),
            {
                "08_reporting/purchase_home/model_card.html",
                "07_model_output/purchase_home/scores.csv",
            },
        ),
        (
            "value_segments",
            ("feature_engineering,segmentation,scoring",),
            {
                "08_reporting/value_segments/segments.html",
                "07_model_output/value_segments.csv",
                "07_model_output/value_segments.sqlite",
            },
        ),
    ],
)
def test_a_new_use_case_runs_and_writes_in_places_of_its_own(
    name: str,
    runs: tuple[str, ...],
    expected: set[str],
    with_new_entries: Sample,
    run_on: RunKedro,
):
    assert f"kedro run --tags={name}" in commands(PAGE)
    before = moments(with_new_entries.data)
    for stages in runs:
        run_on([f"--namespaces={name}", f"--pipelines={stages}"], with_new_entries)
    after = moments(with_new_entries.data)
    written = [path for path, moment in after.items() if before.get(path) != moment]
    written = [path for path in written if not path.endswith(".made_from.json")]
    assert [path for path in written if name not in path] == []
    assert expected <= set(written)
