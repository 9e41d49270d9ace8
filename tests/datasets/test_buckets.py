"""Hash buckets of an expression: even, whole, and with every column that is read."""

import ibis
import pandas as pd
import pytest

from clientela.datasets.table import EngineSettings, get_engine_connection, iter_buckets


@pytest.fixture
def con():
    return get_engine_connection(EngineSettings())


@pytest.fixture
def purchases(con, tmp_path):
    frame = pd.DataFrame(
        {
            "id_cliente": [f"{i % 1000:08d}" for i in range(3000)],
            "valor": [float(i % 7) for i in range(3000)],
            "canal": ["APP" if i % 2 else "TIENDA" for i in range(3000)],
        }
    )
    frame.to_parquet(tmp_path / "compras.parquet", index=False)
    return con.read_parquet(str(tmp_path / "compras.parquet"))


@pytest.mark.parametrize("buckets", [2, 4, 10, 16])
def test_customers_spread_evenly_over_the_buckets(con, purchases, buckets):
    customers = purchases.group_by("id_cliente").agg(compras=purchases.count())
    sizes = [len(part.to_pandas()) for part in iter_buckets(con, customers, "id_cliente", buckets)]
    assert sum(sizes) == 1000
    assert min(sizes) > 0.6 * 1000 / buckets


@pytest.mark.parametrize("through", ["join", "filter", "projection", "aggregate"])
def test_the_parts_together_are_the_whole_whatever_reads_the_source(con, purchases, through):
    largest = purchases.group_by("id_cliente").agg(mayor=purchases["valor"].max())
    table = {
        "join": purchases.join(largest, "id_cliente").filter(lambda t: t["valor"] == t["mayor"]),
        "filter": purchases.filter(purchases["canal"] == "APP"),
        "projection": purchases.select("id_cliente", doble=purchases["valor"] * 2),
        "aggregate": largest,
    }[through]
    parts = pd.concat([p.to_pandas() for p in iter_buckets(con, table, "id_cliente", 4)])
    columns = list(parts.columns)
    whole = table.to_pandas().sort_values(columns, ignore_index=True)
    pd.testing.assert_frame_equal(parts.sort_values(columns, ignore_index=True), whole)


def test_a_source_without_the_column_stays_whole(con, purchases):
    channels = ibis.memtable({"canal": ["APP", "TIENDA"], "digital": [True, False]})
    table = purchases.join(channels, "canal").group_by("id_cliente").agg(n=ibis._["digital"].sum())
    parts = pd.concat([p.to_pandas() for p in iter_buckets(con, table, "id_cliente", 3)])
    assert (len(parts), int(parts["n"].sum())) == (1000, 1500)
