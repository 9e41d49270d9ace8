from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from clientela.datasets.table import TableDataset
from clientela.features.settings import FeatureParams
from clientela.features.transactions import OrdinalTarget
from clientela.pipelines.eda.association import EdaParameters
from clientela.pipelines.eda.pipeline import create_pipeline
from clientela.settings import CONFIG_LOADER_ARGS
from clientela.use_cases import Table, UseCase

PROJECT = Path(__file__).parents[3]
CLASSES = ("sin_compra", "baja", "media", "alta")


@pytest.fixture
def retail():
    tables = {"customers": Table(), "transactions": Table(references={"id_cliente": "customers"})}
    return UseCase(
        name="retail",
        kind="transactions",
        stages=("eda",),
        tables=tables,
        tags=("purchase_intensity",),
        shared_tables=("customers", "transactions"),
    )


@pytest.fixture
def purchase_intensity():
    return UseCase(
        name="purchase_intensity",
        kind="transactions",
        task="ordinal",
        shares="retail",
        stages=("eda",),
        tags=("purchase_intensity",),
        shared_tables=("customers", "transactions"),
    )


@pytest.fixture(scope="session")
def transactions():
    generator = np.random.default_rng(11)
    size = 600
    days = generator.integers(0, 400, size)
    category = generator.choice(["TECNOLOGÍA", "Tecnologia", "ROPA", "HOGAR"], size)
    return pd.DataFrame(
        {
            "id_transaccion": [f"T-{i:05d}" for i in range(size)],
            "id_cliente": [f"CLIENTE-{i:03d}" for i in generator.integers(0, 60, size)],
            "fecha": pd.Timestamp("2023-01-15 10:00") + pd.to_timedelta(days, unit="D"),
            "categoria": category,
            "rubro": np.where(
                np.char.startswith(category, "T"), "tecnologia", np.char.lower(category)
            ),
            "valor_transaccion": generator.gamma(2, 50, size).round(2) - 5,
            "puntos": generator.integers(-20, 60, size),
        }
    )


@pytest.fixture(scope="session")
def customers():
    births = pd.date_range("1950-03-01", periods=60, freq="200D")
    return pd.DataFrame(
        {
            "id_cliente": [f"CLIENTE-{i:03d}" for i in range(60)],
            "fecha_nacimiento": births.where(np.arange(60) % 3 > 0),
            "genero": np.where(np.arange(60) % 2 == 0, "F", "M"),
            "estrato_social": np.arange(60) % 6 + 1,
        }
    )


@pytest.fixture(scope="session")
def model_input(transactions):
    spent = transactions.groupby("id_cliente")["valor_transaccion"].agg(["sum", "size"])
    codes = pd.qcut(spent["size"], 4, labels=False, duplicates="drop")
    return pd.DataFrame(
        {
            "id_cliente": spent.index,
            "total_gasto": spent["sum"].to_numpy(),
            "num_tx_total": spent["size"].to_numpy(float),
            "target_compra_tecnologia": np.array(CLASSES)[codes],
        }
    )


@pytest.fixture
def explored(tmp_path, monkeypatch, transactions, customers, model_input):
    """Runs the stage for an entry with the project's own catalog, below a temporary folder."""

    def run(use_case, root="reports"):
        monkeypatch.setenv("CLIENTELA_TEST_ROOT", str(tmp_path / root))
        loader = OmegaConfigLoader(
            conf_source=str(PROJECT / "conf"),
            **CONFIG_LOADER_ARGS | {"default_run_env": "test"},
        )
        catalog = DataCatalog.from_config(loader["catalog"])
        for name, frame in (("transactions", transactions), ("customers", customers)):
            catalog[name] = TableDataset(filepath=str(tmp_path / f"{name}.parquet"))
            catalog[name].save(frame)
        parameters = loader["parameters"]
        values = {
            "params:retail.eda": EdaParameters.model_validate(parameters["retail"]["eda"]),
            "params:purchase_intensity.eda": EdaParameters.model_validate(
                parameters["purchase_intensity"]["eda"]
            ),
            "params:purchase_intensity.features": FeatureParams(category="TECNOLOGÍA"),
            "params:purchase_intensity.target": OrdinalTarget.model_validate(
                parameters["purchase_intensity"]["target"]
            ),
            "purchase_intensity.model_input": model_input,
            "purchase_intensity.feature_schema": {
                "key": "id_cliente",
                "target": "target_compra_tecnologia",
                "classes": list(CLASSES),
            },
        }
        for name, value in values.items():
            catalog[name] = MemoryDataset(value)
        SequentialRunner().run(create_pipeline(use_case), catalog)
        return tmp_path / root / "08_reporting" / use_case.name / "eda"

    return run
