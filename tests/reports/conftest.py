import ibis
import numpy as np
import pandas as pd
import pytest

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

CLASSES = ("sin_compra", "baja", "media", "alta")


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
