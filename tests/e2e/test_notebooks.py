"""The notebooks run from top to bottom where the default pipeline has run."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def test_the_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == [
        "churn",
        "credit-eda",
        "credit-preauth",
        "exploring-the-catalog",
        "from-customer-to-explanation",
        "who-are-my-segments",
    ]


@each_notebook
def test_no_output_is_committed(notebook: Path):
    cells = nbformat.read(notebook, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[] for _ in code]
    assert {cell.execution_count for cell in code} == {None}


@each_notebook
def test_no_path_of_a_machine_appears(notebook: Path):
    text = notebook.read_text("utf-8")
    assert [root for root in ("/home/", "/Users/", "/work", "C:\\", "data/0") if root in text] == []


@pytest.mark.slow
@each_notebook
def test_a_notebook_runs_draws_its_plots_and_shows_no_id(
    notebook: Path, finished_project: Path, variables, raw_files: Mapping[str, bytes]
):
    copy = finished_project / "notebooks" / notebook.name
    run = subprocess.run(
        [Path(sys.executable).with_name("jupyter-execute"), "--inplace", copy.name],
        cwd=copy.parent,
        env=variables(finished_project),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    cells = nbformat.read(copy, as_version=4).cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    drawn = sum("image/png" in data for data in shown)
    assert drawn == sum("plt.show()" in cell.source for cell in cells) > 0
    texts = [str(cell.get("outputs")) for cell in cells]
    words = {word for text in texts for word in re.findall(r"\d+", text)}
    for place in ("customers/muestra_customers.csv", "customer_churn/wifi.csv"):
        lines = raw_files[place].decode().splitlines()[1:]
        assert words & {re.sub(r"\D", "", line.partition(",")[0]) for line in lines} == set()
    assert [text for text in texts if re.search(r"\b[0-9a-f]{16}-\d", text)] == []
