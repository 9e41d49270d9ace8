import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import s3fs
from tests import small_project

from clientela.datasets import table


@pytest.fixture(scope="session")
def finished_project(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the default pipeline has run on local folders."""
    return Path(shutil.copytree(finished, tmp_path_factory.mktemp("finished") / "project"))


@pytest.fixture(scope="session")
def raw_files(finished: Path) -> dict[str, bytes]:
    """A small retailer (dirt included), lender and WiFi, by their places below the raw root."""
    root = finished / "data/01_raw"
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.csv"))
    }


@pytest.fixture(scope="session")
def project_copy(
    project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Path]:
    """Makes a clone without data, where every file that appears is seen."""
    return lambda: small_project.clone(project_root, tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def variables(bytecode: Path) -> Callable[..., dict[str, str]]:
    """Variables of a command in a clone: `variables(project)`."""
    return partial(small_project.variables, bytecode)


@pytest.fixture(scope="session")
def kedro(bytecode: Path) -> Callable[..., Any]:
    """Runs a Kedro command as a person would: `kedro(project, "run", "--env=aws", aws={...})`."""
    return partial(small_project.kedro, bytecode)


@pytest.fixture
def store(
    object_store: Mapping[str, str],
    bucket: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """An address below which nothing lies yet, reachable from this process."""
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    table.get_engine_connection.cache_clear()
    yield f"s3://{bucket}/{request.node.name}"
    table.get_engine_connection.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()
