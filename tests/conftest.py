import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

TRANSACTIONS = "01_raw/transacciones/muestra_transacciones.csv"
CUSTOMERS = "01_raw/customers/muestra_customers.csv"


# What the libraries we build on ask of one another, not of us; everything else stays an error.
OTHERS_DEPRECATIONS = (
    "Accessing the 'model_fields':DeprecationWarning:kedro.validation.utils",  # kedro, of pydantic
    "The 'future.infer_string' option:DeprecationWarning:ibis.formats.pandas",  # ibis, of pandas
    "fetch_arrow_table.. is deprecated:DeprecationWarning:ibis.backends.duckdb",  # ibis, of duckdb
)


def pytest_configure(config: pytest.Config) -> None:
    for warning in OTHERS_DEPRECATIONS:
        config.addinivalue_line("filterwarnings", f"ignore:{warning}")


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).parents[1]


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment `test` keeps every layer: `<data_root>/01_raw` and so on."""
    root = tmp_path / "data"
    monkeypatch.setenv("CLIENTELA_TEST_ROOT", str(root))
    return root


@pytest.fixture
def write_raw(data_root: Path) -> Callable[..., None]:
    """Writes raw files: `write_raw(transactions, customers)`, each text or bytes, or None."""

    def write(transactions: str | bytes | None, customers: str | bytes | None = None) -> None:
        for place, content in ((TRANSACTIONS, transactions), (CUSTOMERS, customers)):
            if content is not None:
                path = data_root / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


@pytest.fixture
def conf_source(project_root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a conf source of its own: the project's `base`, `aws` and `test`, with changes.

    `conf_source({"test/parameters.yml": {"retail": {...}}})` writes that file, or updates the
    top-level keys of one that exists. `local` is never copied: it belongs to one person.
    """

    def make(changes: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
        folder = tmp_path / f"conf-{len(list(tmp_path.glob('conf-*')))}"
        ignored = shutil.ignore_patterns("local")
        shutil.copytree(project_root / "conf", folder, ignore=ignored)
        (folder / "local").mkdir()
        for name, content in (changes or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
            path.write_text(yaml.safe_dump({**before, **content}, sort_keys=False), "utf-8")
        return folder

    return make


@pytest.fixture
def run_kedro(
    project_root: Path, data_root: Path, conf_source: Callable[..., Path]
) -> Callable[..., DataCatalog]:
    """Runs pipelines in this process and gives the catalog to read what they wrote.

    `run_kedro("ingestion", conf={...})`; without names the default pipeline. `conf` as in
    `conf_source`; `params` as `--params`; other keywords as `KedroSession.run`.
    """

    def run(
        *pipelines: str,
        conf: Mapping[str, Mapping[str, Any]] | None = None,
        env: str = "test",
        params: Mapping[str, Any] | None = None,
        **selection: Sequence[str],
    ) -> DataCatalog:
        bootstrap_project(project_root)
        with KedroSession.create(
            project_path=project_root,
            env=env,
            conf_source=str(conf_source(conf)),
            runtime_params=dict(params or {}),
            save_on_close=False,
        ) as session:
            session.run(pipeline_names=list(pipelines) or None, **selection)
            return session.load_context().catalog

    return run
