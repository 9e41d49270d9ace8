import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tests.dashboard.shop import monitored_models

APP = "src/clientela/dashboard/app.py"


@pytest.fixture(scope="session")
def stored_shop(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three monitored models and one that never was, as the environment `test` keeps them."""
    root = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("CLIENTELA_TEST_ROOT", str(root))
        monitored_models(project_root, "test")
    return root


@pytest.fixture
def shop(stored_shop: Path, data_root: Path) -> None:
    """A copy of them, which a test may damage."""
    shutil.copytree(stored_shop, data_root)


@pytest.fixture
def folder(data_root: Path) -> Callable[[str], Path]:
    """Where monitoring writes about a use case."""
    return lambda use_case: data_root / "08_reporting" / use_case / "drift"


@pytest.fixture
def dashboard(
    project_root: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    """The page as `make dashboard` opens it: `dashboard("--env=test", language="en")`."""

    def run(*arguments: str, **chosen: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", *(arguments or ["--env=test"])])
        st.cache_resource.clear()
        st.cache_data.clear()
        page = AppTest.from_file(str(project_root / APP), default_timeout=60)
        for name, value in chosen.items():
            page.session_state[name] = value
        return page.run()

    return run
