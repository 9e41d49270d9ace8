"""New customers get a segment from the stored model, without a refit."""

import pandas as pd
import pytest
from tests.pipelines.segmentation import retailer
from tests.pipelines.segmentation.retailer import digests

ASSIGNING = ("ingestion", "feature_engineering", "scoring")


@pytest.fixture
def newcomers(data, write_purchases):
    """Three of each taste, who come after the model was made."""
    known, new = retailer.purchases(), retailer.purchases(tastes=(3, 3, 3), prefix="7")
    write_purchases(pd.concat([known, new]))
    return [f"7{number:04d}" for number in range(9)]


def test_new_customers_are_placed_and_the_model_stays_as_it_was(newcomers, data, run):
    before = digests(data, "06_models")
    export = run(*ASSIGNING).load("customer_segments.export_csv").set_index("dni")
    assert digests(data, "06_models") == before
    assert export.loc[newcomers, "cluster_nombre"].tolist() == [
        name.capitalize() for name in retailer.RUBROS for _ in range(3)
    ]
    assert export.index.is_unique


def test_customers_who_were_there_stay_where_they_were(newcomers, data, run):
    read = {"dtype": {"dni": "str"}, "index_col": "dni"}
    before = pd.read_csv(data / "07_model_output/clientes_segmentados.csv", **read)["cluster_id"]
    export = run(*ASSIGNING).load("customer_segments.export_csv").set_index("dni")
    pd.testing.assert_series_equal(export.loc[before.index, "cluster_id"], before)


def test_new_customers_arrive_in_the_database_too(newcomers, run):
    catalog = run(*ASSIGNING)
    for table in ("segments_current", "segments_history"):
        assert set(newcomers) <= set(catalog.load(f"customer_segments.{table}")["dni"])
