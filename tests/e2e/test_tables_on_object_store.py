"""Tables of the project on S3: what local folders never show."""

from collections.abc import Callable
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from clientela.datasets.table import SmallTablesDataset, TableDataset

PURCHASES = pd.DataFrame(
    {
        "id_cliente": np.arange(60) % 20,
        "valor_transaccion": np.arange(60) * 1.25,
        "id_transaccion": np.arange(60)[::-1],
    }
)


def keys(aws_client: Callable[[str], Any], address: str) -> list[str]:
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    found = aws_client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [item["Key"].removeprefix(prefix + "/") for item in found.get("Contents", [])]


def purchases(store: str, rows_per_bucket: int | None = None) -> TableDataset:
    return TableDataset(
        filepath=f"{store}/purchases.parquet",
        order_by="id_transaccion",
        engine={"max_rows_per_bucket": rows_per_bucket},
    )


def spend(store: str, rows_per_bucket: int | None = None) -> TableDataset:
    """Spend per customer, computed from `purchases` and saved."""
    source = purchases(store, rows_per_bucket).load()
    table = TableDataset(
        filepath=f"{store}/spend.parquet",
        order_by="id_cliente",
        bucket_by="id_cliente",
        load_as="pandas",
        engine={"max_rows_per_bucket": rows_per_bucket},
    )
    table.save(source.group_by("id_cliente").aggregate(gasto=source.valor_transaccion.sum()))
    return table


def test_a_table_comes_back_as_it_was_saved_in_the_order_of_its_key(store):
    purchases(store).save(PURCHASES)
    loaded = purchases(store).load().to_pandas()
    expected = PURCHASES.sort_values("id_transaccion", ignore_index=True)
    pd.testing.assert_frame_equal(loaded, expected)


def test_a_bucketed_table_holds_the_same_rows_as_one_file(store):
    purchases(store).save(PURCHASES)
    whole = spend(store).load()
    bucketed = spend(store, rows_per_bucket=15).load()
    pd.testing.assert_frame_equal(bucketed, whole)


def test_a_folder_of_buckets_and_a_single_file_replace_each_other_whole(store, aws_client):
    purchases(store).save(PURCHASES)
    spend(store)
    spend(store, rows_per_bucket=15)
    parts = [f"part-{place:03d}.parquet" for place in range(4)]
    assert keys(aws_client, f"{store}/spend.parquet") == parts
    spend(store)
    assert keys(aws_client, store) == ["purchases.parquet", "spend.parquet"]


def test_a_save_that_fails_leaves_the_old_table_and_no_rest(store, aws_client):
    purchases(store).save(PURCHASES)
    before = keys(aws_client, store)
    broken = ibis.memtable({"id_transaccion": ["no number"]})
    with pytest.raises(Exception, match="no number"):
        purchases(store).save(broken.mutate(id_transaccion=broken.id_transaccion.cast("int64")))
    assert keys(aws_client, store) == before
    assert len(purchases(store).load().to_pandas()) == len(PURCHASES)


def test_a_table_that_another_process_replaced_is_read_anew(store, aws_client):
    purchases(store).save(PURCHASES)
    assert purchases(store).load().count().execute() == len(PURCHASES)
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    TableDataset(filepath=f"{store}/other.parquet", order_by="id_transaccion").save(PURCHASES[:7])
    source = {"Bucket": bucket, "Key": f"{prefix}/other.parquet"}
    aws_client("s3").copy(source, bucket, f"{prefix}/purchases.parquet")
    assert purchases(store).load().count().execute() == 7


def test_reading_a_table_asks_the_store_for_its_folder_once_and_never_for_single_files(
    store, caplog
):
    purchases(store).save(PURCHASES)
    caplog.clear()
    with caplog.at_level("INFO", logger="werkzeug"):
        purchases(store).load().valor_transaccion.sum().execute()
    requests = [record.getMessage().partition('"')[2] for record in caplog.records]
    assert [line for line in requests if "HEAD" in line] == []
    assert len([line for line in requests if "list-type" in line]) == 1


def test_small_tables_replace_all_that_stood_in_their_folder(store):
    tables = SmallTablesDataset(path=f"{store}/counts")
    tables.save({"months": PURCHASES, "hours": PURCHASES[:3]})
    tables.save({"hours": PURCHASES[:5]})
    loaded = tables.load()
    assert {name: len(frame) for name, frame in loaded.items()} == {"hours": 5}


def test_a_bucket_that_does_not_exist_is_named_and_never_made(store, bucket, aws_client):
    table = TableDataset(filepath="s3://una-tiena/purchases.parquet")
    with pytest.raises(DatasetError, match=r"una-tiena/purchases\.parquet can.*BUCKET"):
        table.save(PURCHASES)
    known = [found["Name"] for found in aws_client("s3").list_buckets()["Buckets"]]
    assert "una-tiena" not in known
