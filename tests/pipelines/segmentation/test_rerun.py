"""The same purchases make the same files, however often they come and in whatever order."""

import pandas as pd
import pytest
from tests.pipelines.segmentation import retailer
from tests.pipelines.segmentation.retailer import digests

MADE = ("04_feature", "06_models", "07_model_output", "08_reporting")
OWN_FILES = {"test/globals.yml": {"raw_files": {"transactions": "ventas/*.csv"}}}


@pytest.fixture
def write_files(data_root, write_purchases):
    """Writes purchases as several files, `write_files(a=..., b=...)`; customers as ever."""

    def write(**files):
        write_purchases(retailer.purchases())
        (data_root / retailer.TRANSACTIONS).unlink()
        folder = data_root / "01_raw/ventas"
        folder.mkdir()
        for name, purchases in files.items():
            purchases.to_csv(folder / f"{name}.csv", index=False)

    return write


def test_the_same_run_twice_changes_no_byte(data, run):
    before = digests(data)
    run()
    assert digests(data) == before


def test_shuffled_rows_make_the_same_files(first_model, data_root, write_purchases, run):
    write_purchases(retailer.purchases().sample(frac=1, random_state=1))
    run()
    assert digests(data_root, *MADE) == digests(first_model, *MADE)


def test_a_file_split_in_two_makes_the_same_files(first_model, data_root, write_files, run):
    purchases = retailer.purchases()
    write_files(a=purchases[400:], b=purchases[:400])
    run(conf=OWN_FILES)
    assert digests(data_root, *MADE) == digests(first_model, *MADE)


def test_a_file_that_came_twice_makes_the_same_files(first_model, data_root, write_files, run):
    write_files(a=retailer.purchases(), b=retailer.purchases())
    run(conf=OWN_FILES, ingestion={"max_bad_share": 0.5})
    quarantine = data_root / "02_intermediate/retail/quarantine_transactions.parquet"
    assert len(pd.read_parquet(quarantine)) == len(retailer.purchases())
    assert digests(data_root, *MADE) == digests(first_model, *MADE)
