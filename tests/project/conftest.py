import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def script(project_root: Path):
    """Imports a file that is run by its path."""

    def loaded(path: str) -> ModuleType:
        place = project_root / path
        spec = importlib.util.spec_from_file_location(place.stem, place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loaded


@pytest.fixture
def shell():
    """Exit code of a step, run as a workflow runs it."""

    def code(step: str, **variables: str) -> int:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step], env={**os.environ, **variables}, check=False
        ).returncode

    return code
