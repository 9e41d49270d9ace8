from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from clientela.datasets.table import TableDataset
from clientela.features.settings import FeatureParams
from clientela.features.transactions import OrdinalTarget
from clientela.pipelines.eda.association import (
    EdaParameters,
    compute_class_means,
    compute_correlations,
    count_classes,
    quintile_edges,
    target_bins,
    target_categories,
)
from clientela.pipelines.eda.column_profile import (
    build_profile,
    compute_histograms,
    compute_quantiles,
    compute_shape_statistics,
    count_categories,
    count_repeated_rows,
    histogram_edges,
    summarize_column_quality,
)
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
def small_model_input(transactions):
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
def explored(tmp_path, monkeypatch, transactions, customers, small_model_input):
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
            "purchase_intensity.model_input": small_model_input,
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


@pytest.fixture(scope="session")
def parameters():
    return EdaParameters(keys=("id_cliente",))


@pytest.fixture(scope="session")
def model_input():
    """A model input with one column of every kind that asks for something."""
    generator = np.random.default_rng(5)
    codes = np.repeat([0, 1, 2, 3], [100, 50, 35, 15])
    spend = np.exp(generator.normal(1.5 + 0.4 * codes, 1.2))
    return pd.DataFrame(
        {
            "id_cliente": [f"CLIENTE-{i}" for i in range(200)],
            "total_gasto": spend,
            "gasto_doble": 2 * spend,
            "log_total_gasto": np.log1p(spend),
            "saldo": 1 - np.exp(2 * generator.normal(size=200)),
            "edad": np.where(np.arange(200) % 2 == 0, np.nan, 40.0 + np.arange(200) % 30),
            "fijo": 1.0,
            "casi_fijo": (np.arange(200) == 7).astype(float),
            "es_raro": (np.arange(200) < 20).astype(float),
            "log_cola": spend**2,
            "puntaje": codes + generator.normal(size=200) * 0.01,
            "genero": np.where(np.arange(200) % 3 == 0, "F", "M"),
            "target": np.array(CLASSES)[codes],
        }
    )


@pytest.fixture(scope="session")
def first_look(model_input, parameters):
    table = ibis.memtable(model_input)
    columns = summarize_column_quality(table, parameters.keys).execute()
    numeric = columns[columns["kind"] == "number"]["column"].tolist()
    return {
        "quality": columns,
        "quantiles": compute_quantiles(table, numeric).execute(),
        "repeated_rows": count_repeated_rows(table, parameters.keys).execute(),
    }


@pytest.fixture(scope="session")
def profile(model_input, first_look):
    table, columns = ibis.memtable(model_input), first_look["quality"]
    numeric = columns[columns["kind"] == "number"]
    described = numeric.merge(first_look["quantiles"], on="column")
    edges = {row["column"]: histogram_edges(row) for _, row in described.iterrows()}
    second = {
        "shapes": compute_shape_statistics(table, numeric).execute(),
        "histograms": compute_histograms(table, edges).execute(),
        "categories": count_categories(table, ["genero", "target"], 12, 5).execute(),
    }
    return build_profile("model_input", first_look, second)


@pytest.fixture(scope="session")
def target_frames(model_input, first_look):
    table = ibis.memtable(model_input)
    numeric = ["total_gasto", "gasto_doble", "log_total_gasto", "saldo", "edad", "fijo", "puntaje"]
    return {
        "class_counts": count_classes(table, "target").execute(),
        "bins": target_bins(
            table, quintile_edges(first_look["quantiles"]), "target", CLASSES
        ).execute(),
        "categories": target_categories(table, ["genero"], "target", CLASSES, 5).execute(),
        "means": compute_class_means(table, numeric, "target").execute(),
        "correlations": compute_correlations(table, numeric).execute(),
    }


@pytest.fixture(scope="session")
def moves():
    """Customers by class before (row) and after (column)."""
    return np.array([[80, 12, 6, 2], [15, 20, 10, 5], [4, 6, 12, 8], [1, 1, 3, 15]], float)
