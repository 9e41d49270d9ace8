"""The notebooks run from top to bottom where the default pipeline has run."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from tests.small_project import variables

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# one after the other in one kernel, which imports our libraries once and forgets all names
RUNNING = """
import sys
import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

FORGET = "%reset -f\\nget_ipython().extension_manager.loaded.discard('kedro.ipython')"
kernel = KernelManager()
kernel.start_kernel()
for path in sys.argv[1:]:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FORGET))
    NotebookClient(notebook, km=kernel, timeout=120).execute()
    del notebook.cells[0]
    nbformat.write(notebook, path)
kernel.shutdown_kernel(now=True)
"""


def test_no_output_and_no_path_of_a_machine_is_committed():
    assert NOTEBOOKS
    for notebook in NOTEBOOKS:
        cells = nbformat.read(notebook, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell for cell in code if cell.outputs or cell.execution_count] == []
        roots = ("/home/", "/Users/", "C:\\", "data/0")
        assert [root for root in roots if root in notebook.read_text("utf-8")] == []


@pytest.fixture(scope="module")
def executed(finished_project: Path) -> Path:
    """A folder with the notebooks and what they showed."""
    folder = finished_project / "notebooks"
    run = subprocess.run(
        [sys.executable, "-c", RUNNING, *(notebook.name for notebook in NOTEBOOKS)],
        cwd=folder,
        env=variables(finished_project),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_draws_its_plots_and_shows_no_id(
    notebook: Path, executed: Path, raw_files: Mapping[str, bytes]
):
    cells = nbformat.read(executed / notebook.name, as_version=4).cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    drawn = sum("image/png" in data for data in shown)
    assert drawn == sum("plt.show()" in cell.source for cell in cells) > 0
    texts = [str(cell.get("outputs")) for cell in cells]
    words = {word for text in texts for word in re.findall(r"\d+", text)}
    for place in ("customers/muestra_customers.csv", "customer_churn/wifi.csv"):
        lines = raw_files[place].decode().splitlines()[1:]
        assert words & {re.sub(r"\D", "", line.partition(",")[0]) for line in lines} == set()
    assert [text for text in texts if re.search(r"\b[0-9a-f]{16}-\d", text)] == []
