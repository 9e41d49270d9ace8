"""New customers get a segment from the stored model, without a refit."""

import pandas as pd
from tests.pipelines.segmentation import retailer
from tests.pipelines.segmentation.retailer import digests


def test_new_customers_are_placed_and_the_model_and_everybody_else_stay(data, write_purchases, run):
    # three of each taste, who come after the model was made
    known, new = retailer.purchases(), retailer.purchases(tastes=(3, 3, 3), prefix="7")
    newcomers = [f"7{number:04d}" for number in range(9)]
    write_purchases(pd.concat([known, new]))
    read = {"dtype": {"dni": "str"}, "index_col": "dni"}
    before = pd.read_csv(data / "07_model_output/clientes_segmentados.csv", **read)["cluster_id"]
    model = digests(data, "06_models")

    catalog = run("ingestion", "feature_engineering", "scoring")

    assert digests(data, "06_models") == model
    export = catalog.load("customer_segments.export_csv").set_index("dni")
    assert export.loc[newcomers, "cluster_nombre"].tolist() == [
        name.capitalize() for name in retailer.RUBROS for _ in range(3)
    ]
    assert export.index.is_unique
    pd.testing.assert_series_equal(export.loc[before.index, "cluster_id"], before)
    for table in ("segments_current", "segments_history"):
        assert set(newcomers) <= set(catalog.load(f"customer_segments.{table}")["dni"])
