import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import s3fs
from tests import small_project

from clientela.datasets import table


@pytest.fixture(scope="session")
def finished_project(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the default pipeline has run on local folders; a test may write to it."""
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


@contextmanager
def reached_by(variables: Mapping[str, str]) -> Iterator[None]:
    """Has this process reach the object store that the variables lead to, and no other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        _forget_connections()
        yield
    _forget_connections()


def _forget_connections() -> None:
    s3fs.S3FileSystem.clear_instance_cache()
    table.get_engine_connection.cache_clear()


@pytest.fixture
def store(
    object_store: Mapping[str, str], bucket: str, request: pytest.FixtureRequest
) -> Iterator[str]:
    """An address below which nothing lies yet, reachable from this process."""
    with reached_by(object_store):
        yield f"s3://{bucket}/{request.node.name}"
