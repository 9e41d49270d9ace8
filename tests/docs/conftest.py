import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project

from clientela.cli import run as kedro_run

# a search as small as the settings allow: these tests are about commands, not about models
TRAINING = {
    "tuning": {"trials": 1, "folds": 2},
    "folds": 2,
    "repeats": 1,
    "inner_folds": 2,
    "bootstrap": 100,
    "workers": 1,
}
SMALL = {
    "purchase_intensity": {"training": TRAINING},
    "customer_segments": {
        "segmentation": {
            "clustering": {"candidates": [2, 5], "null_draws": 1, "bootstrap_draws": 2}
        }
    },
    "credit_payment": {"data_generation": {"rows": 1500}, "training": TRAINING},
    "customer_churn": {"data_generation": {"rows": 1500}, "training": TRAINING},
    "retail": {"data_generation": {"customers": 300, "transactions": 9000, "chunk_rows": 9000}},
}
QUICK = ("majority", "last_quarter", "proportional_odds", "xgboost_regressor")


class Sample(NamedTuple):
    """A data folder in which the default pipeline has run, and the configuration it ran with."""

    data: Path
    conf: Path


RunKedro = Callable[..., None]


@pytest.fixture
def run_command(project_root: Path, monkeypatch: pytest.MonkeyPatch) -> RunKedro:
    """Runs the options of one `kedro run` in the project, on a sample."""

    def run(options: list[str], sample: Sample) -> None:
        monkeypatch.chdir(project_root)
        monkeypatch.setenv("CLIENTELA_TEST_ROOT", str(sample.data))
        _run(project_root, options, sample)

    return run


@pytest.fixture(scope="session")
def sample(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    made = Sample(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("conf") / "conf")
    shutil.copytree(project_root / "conf", made.conf, ignore=shutil.ignore_patterns("local"))
    (made.conf / "local").mkdir()
    (made.conf / "test/parameters.yml").write_text(yaml.safe_dump(SMALL), "utf-8")
    _keep_candidates(made.conf / "base/parameters/purchase_intensity.yml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project_root)
        patch.setenv("CLIENTELA_TEST_ROOT", str(made.data))
        _run(project_root, ["--pipelines=data_generation"], made)
        _run(project_root, [], made)
    yield made
    shutil.rmtree(made.data, ignore_errors=True)


def _keep_candidates(path: Path) -> None:
    """Leaves the rules, the required model and the fastest challenger."""
    content = yaml.safe_load(path.read_text("utf-8"))
    candidates = content["purchase_intensity"]["training"]["candidates"]
    for name in [
        name
        for name in candidates
        if candidates[name]["kind"] not in QUICK
        or candidates[name].get("search", {}).get("max_depth")
    ]:
        del candidates[name]
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def _run(project_root: Path, options: list[str], sample: Sample) -> None:
    bootstrap_project(project_root)
    where = ["--env=test", f"--conf-source={sample.conf}"]
    # the terminal's width decides how the summary wraps, nothing else
    result = CliRunner().invoke(kedro_run, [*options, *where], env={**os.environ, "COLUMNS": "200"})
    assert result.exit_code == 0, result.output
