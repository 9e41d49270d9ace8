import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class Sample(NamedTuple):
    """A data folder in which the default pipeline has run, and the configuration it ran with."""

    data: Path
    conf: Path


RunKedro = Callable[[list[str], Sample], None]


@pytest.fixture
def run_on(kedro_command: Callable[..., object]) -> RunKedro:
    """Runs the options of one `kedro run` on a sample."""

    def run(options: list[str], sample: Sample) -> None:
        where = ["--env=test", f"--conf-source={sample.conf}"]
        done = kedro_command(*options, *where, CLIENTELA_TEST_ROOT=str(sample.data))
        assert done.exit_code == 0, done.output

    return run


@pytest.fixture(scope="session")
def sample(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("sample")
    for part in ("data", "conf"):
        shutil.copytree(finished / part, folder / part)
    return Sample(folder / "data", folder / "conf")
