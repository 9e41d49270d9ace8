"""The same purchases make the same files, however often they come and in whatever order."""

import pandas as pd
from tests.pipelines.segmentation import retailer
from tests.pipelines.segmentation.retailer import digests

MADE = ("04_feature", "06_models", "07_model_output", "08_reporting")
OWN_FILES = {"test/globals.yml": {"raw_files": {"transactions": "ventas/*.csv"}}}


def test_shuffled_rows_in_two_files_some_of_them_twice_make_the_same_files(
    first_model, data_root, write_purchases, run
):
    write_purchases(retailer.purchases())
    (data_root / retailer.TRANSACTIONS).unlink()
    shuffled = retailer.purchases().sample(frac=1, random_state=1)
    folder = data_root / "01_raw/ventas"
    folder.mkdir()
    for name, purchases in {"a": shuffled[400:], "b": shuffled[:600]}.items():
        purchases.to_csv(folder / f"{name}.csv", index=False)
    run(conf=OWN_FILES, ingestion={"max_bad_share": 0.5})
    quarantine = data_root / "02_intermediate/retail/quarantine_transactions.parquet"
    assert len(pd.read_parquet(quarantine)) == 200
    assert digests(data_root, *MADE) == digests(first_model, *MADE)
