import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog
from tests.kedro_session import session_of
from tests.pipelines.segmentation import retailer

TAG = "customer_segments"
STAGES = ("ingestion", "feature_engineering", "segmentation", "scoring")
# a comparison of numbers of segments as small as the settings allow
SETTINGS = {
    "features.fecha_modelo": str(retailer.MODEL_DAY),
    "features.rubros": list(retailer.RUBROS),
    "segmentation.clustering.candidates": [2, 4],
    "segmentation.clustering.null_draws": 2,
    "segmentation.clustering.bootstrap_draws": 2,
    "segmentation.clustering.n_init": 2,
    "segmentation.report.min_customers": 5,
}


def parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`SETTINGS` with some of them changed or added, as `--params` would give them."""
    tree: dict[str, Any] = {}
    for name, value in {**SETTINGS, **settings}.items():
        *path, last = name.split(".")
        leaf = tree
        for part in path:
            leaf = leaf.setdefault(part, {})
        leaf[last] = value
    return {TAG: tree}


@pytest.fixture(scope="session")
def run_in(project_root: Path) -> Callable[..., None]:
    """Runs all stages with data in a folder: `run_in(root, {"features.fecha_modelo": ...})`."""

    def run_stages(root: Path, settings: Mapping[str, Any]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CLIENTELA_TEST_ROOT", str(root))
            patch.delenv("CLIENTELA_DATABASE", raising=False)
            with session_of(
                project_root, env="test", runtime_params=parameters(settings)
            ) as session:
                session.run(pipeline_names=list(STAGES), tags=[TAG])

    return run_stages


@pytest.fixture(scope="session")
def first_model(run_in: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every layer after the retailer's first model; to be copied, not written to."""
    root = tmp_path_factory.mktemp("first") / "data"
    write_tables(root, retailer.purchases())
    run_in(root, {})
    return root


@pytest.fixture(scope="session")
def next_model(
    first_model: Path, run_in: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same a week later, when the second model has run; to be copied, not written to."""
    root = tmp_path_factory.mktemp("next") / "data"
    shutil.copytree(first_model, root)
    run_in(root, {"features.fecha_modelo": str(retailer.NEXT_WEEK)})
    return root


@pytest.fixture
def data(first_model: Path, data_root: Path) -> Path:
    """The layers of the environment `test`, in which the first model has run."""
    return Path(shutil.copytree(first_model, data_root))


@pytest.fixture
def data_next_week(next_model: Path, data_root: Path) -> Path:
    """The layers of the environment `test`, in which both models have run."""
    return Path(shutil.copytree(next_model, data_root))


@pytest.fixture
def stored(project_root: Path, data_root: Path) -> Callable[[str], Any]:
    """Loads what the stages wrote: `stored("k_choice")`."""
    catalogs: list[DataCatalog] = []

    def load(name: str) -> Any:
        if not catalogs:
            with session_of(project_root, env="test") as session:
                catalogs.append(session.load_context().catalog)
        return catalogs[0].load(f"{TAG}.{name}")

    return load


@pytest.fixture
def write_purchases(data_root: Path) -> Callable[[pd.DataFrame], None]:
    """Writes raw purchases, and customers for them; one more customer never bought."""

    def write(purchases: pd.DataFrame) -> None:
        write_tables(data_root, purchases)

    return write


def write_tables(root: Path, purchases: pd.DataFrame) -> None:
    known = retailer.customers([*purchases["id_cliente"], retailer.WITHOUT_PURCHASE])
    for place, table in ((retailer.TRANSACTIONS, purchases), (retailer.CUSTOMERS, known)):
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False, lineterminator="\n")


@pytest.fixture
def run(run_kedro: Callable[..., DataCatalog]) -> Callable[..., DataCatalog]:
    """Runs stages of customer_segments, all of them unless some are named.

    `run("scoring", settings={"segmentation.clustering.k": 4})`: settings on top of `SETTINGS`;
    `conf` as for `run_kedro`; `ingestion`, the parameters of the shared tables.
    """

    def run_stages(
        *stages: str,
        settings: Mapping[str, Any] | None = None,
        ingestion: Mapping[str, Any] | None = None,
        conf: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> DataCatalog:
        params = parameters(settings or {}) | {"retail": {"ingestion": dict(ingestion or {})}}
        tags: Sequence[str] = [TAG]
        return run_kedro(*(stages or STAGES), conf=conf, params=params, tags=tags)

    return run_stages
