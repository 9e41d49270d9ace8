from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def benchmarks_importable(project_root: Path) -> Iterator[None]:
    """The scripts import one another as they do when they are called."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(project_root / "benchmarks")
        yield
