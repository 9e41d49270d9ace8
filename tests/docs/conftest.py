import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project

from clientela.cli.kedro_run import run as kedro_run


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
def sample(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("sample")
    for part in ("data", "conf"):
        shutil.copytree(finished / part, folder / part)
    return Sample(folder / "data", folder / "conf")


def _run(project_root: Path, options: list[str], sample: Sample) -> None:
    bootstrap_project(project_root)
    where = ["--env=test", f"--conf-source={sample.conf}"]
    # the terminal's width decides how the summary wraps, nothing else
    result = CliRunner().invoke(kedro_run, [*options, *where], env={**os.environ, "COLUMNS": "200"})
    assert result.exit_code == 0, result.output
