"""A small use case on a table, trained once: orders of an online shop, and whether they came back.

The required model is an XGBoost classifier, so that both forms of package are made.
"""

import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.io import DataCatalog
from tests.kedro_session import session_of
from tests.pipelines.own_table.orders import csv, orders

from clientela.cli.main import cli

NAME = "returns"
TRAINING = ("ingestion", "feature_engineering", "training")
ENTRY = {
    "kind": "table",
    "task": "binary",
    "stages": [*TRAINING, "deployment"],
    "tables": {"orders": {}},
}
PARAMETERS = """\
ingestion:
  tables:
    orders:
      key: [id_pedido]
      columns:
        id_pedido: {type: id, missing: quarantine}
        fecha_pedido: {type: date, missing: quarantine, earliest: 2020-01-01, latest: 2030-12-31}
        valor_pedido: {type: float, missing: quarantine, minimum: 0}
        dias_entrega: {type: integer, invalid: set_missing, minimum: 0, maximum: 400}
        canal: {type: text}
        categoria: {type: text}
        talla: {type: text, required: false}
        devuelto: {type: text, allowed: ["Yes", "No"], required: false}
features:
  key: id_pedido
  target:
    column: devuelto
    negative: {label: "No", name: se_queda}
    positive: {label: "Yes", name: devuelve}
  required: [valor_pedido, dias_entrega, canal, categoria]
  numeric: [valor_pedido, dias_entrega]
  categorical: [canal, categoria]
  ordinal: {talla: [S, M, L]}
  enrichment: {dates: {parts: {fecha_pedido: [month]}}, logs: {columns: [valor_pedido]}}
leakage: {}
training:
  folds: 2
  repeats: 1
  inner_folds: 2
  bootstrap: 100
  workers: 1
  candidates:
    clase_mayor: {kind: majority, role: rule, decisions: [half]}
    xgboost:
      kind: xgboost_classifier
      role: required
      features: required
      decisions: [half]
      params: {n_estimators: 8, max_depth: 2}
    logistica: {kind: logistic_regression, role: challenger, preprocessing: {scaling: standard}}
scoring: {labels: {valor_pedido: valor del pedido}}
eda: {keys: [id_pedido]}
deployment: {}
"""


@pytest.fixture(scope="session")
def shop_conf(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's configuration with the use case `returns`, and no other one."""
    conf = tmp_path_factory.mktemp("shop") / "conf"
    shutil.copytree(project_root / "conf", conf, ignore=shutil.ignore_patterns("local"))
    (conf / "local").mkdir()
    shipped = yaml.safe_load((conf / "base/use_cases.yml").read_text("utf-8"))
    off = {name: {"enabled": False} for name, entry in shipped.items() if "task" in entry}
    (conf / "test/use_cases.yml").write_text(yaml.safe_dump({**off, NAME: ENTRY}), "utf-8")
    parameters = {NAME: yaml.safe_load(PARAMETERS)}
    (conf / "test/parameters.yml").write_text(yaml.safe_dump(parameters), "utf-8")
    return conf


@pytest.fixture(scope="session")
def run_shop(project_root: Path, shop_conf: Path) -> Callable[..., DataCatalog]:
    """Runs stages with data in a folder, and gives the catalog; `changes` as `--params`."""

    def run_stages(
        root: Path, stages: Sequence[str], changes: Mapping[str, Any] | None = None
    ) -> DataCatalog:
        options = {"conf_source": str(shop_conf), "runtime_params": {NAME: dict(changes or {})}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CLIENTELA_TEST_ROOT", str(root))
            with session_of(project_root, env="test", **options) as session:
                session.run(pipeline_names=list(stages), tags=[NAME])
                return session.load_context().catalog

    return run_stages


@pytest.fixture(scope="session")
def trained_shop(
    run_shop: Callable[..., DataCatalog], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Every layer after training; to be copied, not written to."""
    root = tmp_path_factory.mktemp("trained") / "data"
    path = root / "01_raw/returns/orders.csv"
    path.parent.mkdir(parents=True)
    path.write_text(csv(orders()), "utf-8")
    run_shop(root, TRAINING)
    return root


@pytest.fixture
def shop(trained_shop: Path, empty_registry: Path, data_root: Path) -> Path:
    """Every layer after training in the environment `test`, with an empty registry."""
    root = Path(shutil.copytree(trained_shop, data_root))
    place = root / "06_models/registry/mlflow.db"
    place.parent.mkdir()
    shutil.copy(empty_registry, place)
    return root


@pytest.fixture(scope="session")
def deployed_shop(
    trained_shop: Path,
    empty_registry: Path,
    run_shop: Callable[..., DataCatalog],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Every layer after deployment; not to be written to, since the registry knows its place."""
    root = Path(shutil.copytree(trained_shop, tmp_path_factory.mktemp("deployed") / "data"))
    place = root / "06_models/registry/mlflow.db"
    place.parent.mkdir()
    shutil.copy(empty_registry, place)
    run_shop(root, ["deployment"])
    return root


@pytest.fixture
def registered(deployed_shop: Path, data_root: Path) -> Path:
    """Every layer after deployment in the environment `test`, as if it had been made there."""
    root = Path(shutil.copytree(deployed_shop, data_root))
    before, now = str(deployed_shop), str(root)
    for path in (root / "06_models/returns/packages").glob("*.json"):
        path.write_text(path.read_text("utf-8").replace(before, now), "utf-8")
    with closing(sqlite3.connect(root / "06_models/registry/mlflow.db")) as database, database:
        database.execute(
            "update model_version_tags set value = replace(value, ?, ?)", (before, now)
        )
    return root


@pytest.fixture
def clientela(
    project_root: Path, shop_conf: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs one command of the console as a person would, with data in a folder."""

    def run(root: Path, *arguments: str, answer: str | None = None, width: int = 200) -> Result:
        monkeypatch.chdir(project_root)
        monkeypatch.setenv("CLIENTELA_TEST_ROOT", str(root))
        where = ["--env=test", f"--conf-source={shop_conf}"]
        terminal = {"COLUMNS": str(width)}
        return CliRunner().invoke(cli, [*arguments, *where], input=answer, env=terminal)

    return run
