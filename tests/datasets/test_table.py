import hashlib
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from clientela.datasets.table import EngineSettings, TableDataset, get_engine_connection
from clientela.exceptions import ConfigurationError

SMALL = {"max_rows_per_bucket": 40}
CUSTOMERS = [f"C{i:02d}" for i in range(30)]


def purchases(rows=300):
    return pd.DataFrame(
        {
            "id_transaccion": [f"T{i * 7919 % rows:04d}" for i in range(rows)],
            "id_cliente": [CUSTOMERS[i * i % 30] for i in range(rows)],
            "rubro": [("hogar", "ropa", "tecnologia")[i % 3] for i in range(rows)],
            "fecha": pd.Timestamp("2024-01-01") + pd.to_timedelta(range(rows), unit="h"),
            "valor": [Decimal(i % 97) / 4 for i in range(rows)],
            "puntos": range(rows),
        }
    )


def stored(path, frame, engine=None, **fields):
    """The frame as a lazy table of the connection that these settings have."""
    dataset = TableDataset(filepath=str(path), engine=engine, **fields)
    dataset.save(frame)
    return dataset.load()


def digests(folder):
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


@pytest.fixture
def transactions(tmp_path):
    return stored(tmp_path / "tx.parquet", purchases(), SMALL, order_by="id_transaccion")


@pytest.fixture
def customers(tmp_path):
    # every third customer is missing, and one has no transaction
    frame = pd.DataFrame({"id_cliente": [*CUSTOMERS[::3], "C99"]})
    frame["estrato"] = range(len(frame))
    return stored(tmp_path / "cu.parquet", frame, SMALL, order_by="id_cliente")


def test_a_table_comes_back_as_it_was_saved(tmp_path):
    frame = purchases().astype({"id_transaccion": "str"})
    table = stored(tmp_path / "t.parquet", frame, order_by="id_transaccion")
    expected = frame.sort_values("id_transaccion", ignore_index=True)
    assert table["fecha"].type().is_timestamp()
    assert table["valor"].type().is_decimal()
    found = table.order_by("id_transaccion").to_pandas()
    assert found["valor"].tolist() == expected["valor"].tolist()
    assert found["fecha"].tolist() == expected["fecha"].tolist()


def test_rows_lie_in_the_order_of_the_key(tmp_path):
    stored(tmp_path / "t.parquet", purchases(), order_by="id_transaccion")
    lying = pd.read_parquet(tmp_path / "t.parquet")["id_transaccion"].tolist()
    assert lying == sorted(lying)
    assert len(lying) == 300


def test_without_a_key_rows_keep_the_order_of_the_frame(tmp_path):
    dataset = TableDataset(filepath=str(tmp_path / "t.parquet"), load_as="pandas")
    dataset.save(pd.DataFrame({"n": [3, 1, 2]}))
    pd.testing.assert_frame_equal(dataset.load(), pd.DataFrame({"n": [3, 1, 2]}))


@pytest.mark.parametrize("engine", [None, SMALL], ids=["one file", "buckets"])
def test_equal_tables_are_equal_bytes_whatever_the_order_of_rows(tmp_path, engine):
    frame = purchases()
    fields = {"order_by": "id_transaccion", "bucket_by": "id_cliente"}
    stored(tmp_path / "a" / "t.parquet", frame, engine, **fields)
    stored(tmp_path / "b" / "t.parquet", frame.iloc[::-1], engine, **fields)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_pandas_gets_floats_for_decimals(tmp_path):
    dataset = TableDataset(filepath=str(tmp_path / "t.parquet"), order_by="id", load_as="pandas")
    dataset.save(pd.DataFrame({"id": ["b", "a"], "valor": [Decimal("1.10"), Decimal("2.25")]}))
    expected = pd.DataFrame({"id": ["a", "b"], "valor": [2.25, 1.10]})
    pd.testing.assert_frame_equal(dataset.load(), expected)


def spend_by_customer(transactions, customers):
    last = transactions.group_by("id_cliente").agg(_last=lambda t: t["fecha"].max())
    dated = transactions.join(last, "id_cliente")
    spend = dated.group_by("id_cliente").agg(
        rows=dated.count(),
        valor=dated["valor"].sum(),
        ropa=dated["valor"].sum(where=dated["rubro"] == "ropa"),
        reciente=dated["puntos"].sum(where=dated["fecha"] == dated["_last"]),
    )
    return spend.left_join(customers, "id_cliente", rname="{name}_right").drop("id_cliente_right")


def rows_that_pass(transactions, customers):
    return transactions.filter(transactions["puntos"] > 20)


def rows_and_one_more_column(transactions, customers):
    return transactions.mutate(doble=transactions["puntos"] * 2)


def rows_as_they_are(transactions, customers):
    return transactions


def rows_of_unknown_customers(transactions, customers):
    return transactions.anti_join(customers, "id_cliente")


def silent_customers_too(transactions, customers):
    counts = transactions.group_by("id_cliente").agg(rows=transactions.count())
    silent = customers.anti_join(counts, "id_cliente").select(
        "id_cliente", rows=ibis.literal(0, "int64")
    )
    return counts.union(silent)


@pytest.mark.parametrize(
    ("expression", "key"),
    [
        (spend_by_customer, "id_cliente"),
        (silent_customers_too, "id_cliente"),
        (rows_that_pass, "id_transaccion"),
        (rows_and_one_more_column, "id_transaccion"),
        (rows_as_they_are, "id_transaccion"),
        (rows_of_unknown_customers, "id_transaccion"),
    ],
)
def test_buckets_hold_the_rows_that_one_file_holds(
    tmp_path, transactions, customers, expression, key
):
    table = expression(transactions, customers)
    bucketed = TableDataset(
        filepath=str(tmp_path / "b.parquet"), order_by=key, bucket_by="id_cliente", engine=SMALL
    )
    bucketed.save(table)
    assert len(list((tmp_path / "b.parquet").glob("part-*.parquet"))) > 4
    expected = stored(tmp_path / "one.parquet", table, SMALL, order_by=key)
    expected = expected.order_by(key).to_pandas()
    found = bucketed.load().order_by(key).to_pandas()
    pd.testing.assert_frame_equal(found, expected)


def test_each_bucket_is_ordered_and_holds_whole_customers(tmp_path, transactions):
    stored(
        tmp_path / "b.parquet",
        transactions,
        SMALL,
        order_by="id_transaccion",
        bucket_by="id_cliente",
    )
    parts = [pd.read_parquet(path) for path in sorted((tmp_path / "b.parquet").iterdir())]
    for part in parts:
        assert part["id_transaccion"].is_monotonic_increasing
    customers = [customer for part in parts for customer in part["id_cliente"].unique()]
    assert len(customers) == len(set(customers))


def test_a_customer_whose_id_is_missing_stays_a_row_in_buckets(tmp_path):
    frame = purchases().assign(id_cliente=lambda t: t["id_cliente"].where(t["puntos"] % 5 > 0))
    table = stored(tmp_path / "t.parquet", frame, SMALL, order_by="id_transaccion")
    bucketed = stored(
        tmp_path / "b.parquet", table, SMALL, order_by="id_transaccion", bucket_by="id_cliente"
    )
    assert bucketed.count().to_pyarrow().as_py() == len(frame)


def test_a_folder_of_buckets_loads_into_pandas_in_the_order_of_the_key(tmp_path, transactions):
    dataset = TableDataset(
        filepath=str(tmp_path / "b.parquet"),
        order_by="id_transaccion",
        bucket_by="id_cliente",
        load_as="pandas",
        engine=SMALL,
    )
    dataset.save(transactions)
    assert dataset.load()["id_transaccion"].is_monotonic_increasing


def test_a_smaller_table_leaves_no_bucket_of_the_larger_one(tmp_path, transactions):
    fields = {"order_by": "id_transaccion", "bucket_by": "id_cliente"}
    stored(tmp_path / "b.parquet", transactions, SMALL, **fields)
    assert (tmp_path / "b.parquet").is_dir()
    again = stored(tmp_path / "b.parquet", purchases(30), SMALL, **fields)
    assert (tmp_path / "b.parquet").is_file()
    assert again.count().to_pyarrow().as_py() == 30


@pytest.mark.parametrize("engine", [None, SMALL], ids=["one file", "buckets"])
def test_a_save_that_fails_leaves_the_old_table_and_no_litter(tmp_path, engine):
    fields = {"order_by": "id_transaccion", "bucket_by": "id_cliente"}
    dataset = TableDataset(filepath=str(tmp_path / "t.parquet"), engine=engine, **fields)
    dataset.save(purchases())
    before = digests(tmp_path)
    source = stored(tmp_path / "src.parquet", purchases(), engine, order_by="id_transaccion")
    impossible = source.mutate(n=source["rubro"].cast("int64"))
    with pytest.raises(DatasetError, match=r"hogar|tecnologia"):
        dataset.save(impossible)
    (tmp_path / "src.parquet").unlink()
    assert digests(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_a_table_can_be_saved_over_one_that_it_was_computed_from(tmp_path):
    dataset = TableDataset(filepath=str(tmp_path / "t.parquet"), order_by="id_transaccion")
    dataset.save(purchases())
    table = dataset.load()
    dataset.save(table.filter(table["puntos"] < 10))
    assert dataset.load().count().to_pyarrow().as_py() == 10


def test_an_empty_table_keeps_its_columns(tmp_path):
    table = stored(tmp_path / "t.parquet", purchases().head(0), order_by="id_transaccion")
    assert table.columns == tuple(purchases().columns)
    assert table.count().to_pyarrow().as_py() == 0


def test_a_missing_table_says_to_run_the_stage(tmp_path):
    dataset = TableDataset(filepath=str(tmp_path / "t.parquet"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"No table at .*t.parquet. Run the stage that writes"):
        dataset.load()


def test_buckets_without_a_key_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="bucket_by needs order_by, the unique key"):
        TableDataset(filepath=str(tmp_path / "t.parquet"), bucket_by="id_cliente")


def test_an_unknown_setting_of_the_engine_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"memory(?s:.*)Extra inputs are not permitted"):
        TableDataset(filepath=str(tmp_path / "t.parquet"), engine={"memory": "1GB"})


def test_tables_of_equal_settings_share_one_connection():
    assert get_engine_connection(EngineSettings(threads=1)) is get_engine_connection(
        EngineSettings(threads=1)
    )


def test_any_fsspec_store_holds_tables_by_its_address():
    dataset = TableDataset(filepath="memory://store/deep/table.parquet", order_by="id_cliente")

    dataset.save(pd.DataFrame({"id_cliente": ["b", "a"], "n": [2, 1]}))
    dataset.save(pd.DataFrame({"id_cliente": ["b", "a"], "n": [4, 3]}))

    found = TableDataset(filepath="memory://store/deep/table.parquet", load_as="pandas").load()
    assert found.sort_values("id_cliente")["n"].tolist() == [3, 4]


def test_a_folder_named_like_a_partition_is_no_column(tmp_path):
    dataset = TableDataset(filepath=f"{tmp_path}/day=2024-06-30/table.parquet", load_as="pandas")

    dataset.save(pd.DataFrame({"id_cliente": ["a"]}))

    assert list(dataset.load().columns) == ["id_cliente"]


def test_a_frame_comes_back_in_the_order_in_which_it_was_saved(tmp_path):
    # more rows than one row group holds, which engines read side by side
    places = np.random.default_rng(3).permutation(400_000)
    frame = pd.DataFrame({"place": places})
    dataset = TableDataset(filepath=str(tmp_path / "t.parquet"), load_as="pandas")
    dataset.save(ibis.memtable(frame).order_by(ibis.desc("place")))
    assert dataset.load()["place"].tolist() == sorted(places.tolist(), reverse=True)
