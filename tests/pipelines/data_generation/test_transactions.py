import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.retail import (
    CATEGORIES,
    encode_customer_ids,
    list_spellings,
)
from clientela.pipelines.data_generation.transactions import COLUMNS, build_transactions_table


@pytest.fixture(scope="module")
def table(chunk, calendar):
    return build_transactions_table(chunk, calendar)


def test_columns_and_types_are_those_of_the_contract(table):
    assert table.schema == pa.schema(
        {
            "id_transaccion": pa.string(),
            "id_cliente": pa.string(),
            "fecha": pa.timestamp("s"),
            "categoria": pa.string(),
            "valor_transaccion": pa.decimal128(18, 2),
            "puntos": pa.int64(),
            "tipo_transaccion": pa.string(),
            "canal": pa.string(),
            "ciudad": pa.string(),
        }
    )
    assert tuple(table.column_names) == COLUMNS
    assert all(column.null_count == 0 for column in table.columns)


def test_ids_continue_those_of_earlier_chunks(table, chunk):
    ids = table["id_transaccion"].to_pylist()
    assert ids[0] == f"T{chunk.first_row + 1:010d}"
    assert ids == [f"T{chunk.first_row + 1 + i:010d}" for i in range(chunk.rows)]


def test_only_customers_of_the_chunk_buy(table, customers):
    assert set(table["id_cliente"].to_pylist()) <= set(
        encode_customer_ids(customers.number).to_pylist()
    )


def test_rubros_are_written_in_several_ways_mostly_the_official_one(table):
    written = table["categoria"].to_pylist()
    allowed = {text for category in CATEGORIES for text in list_spellings(category.name)}
    assert set(written) <= allowed
    assert set(list_spellings("TECNOLOGÍA")) <= set(written)
    official = {category.name for category in CATEGORIES}
    assert 0.88 < sum(text in official for text in written) / len(written) < 0.98


def test_customers_buy_mostly_in_one_city(table):
    frame = table.select(["id_cliente", "ciudad"]).to_pandas()
    home = frame.groupby("id_cliente")["ciudad"].agg(lambda c: c.value_counts().iloc[0])
    assert 0.93 < home.sum() / len(frame) < 0.99


def test_every_channel_and_kind_occurs(table):
    assert set(table["canal"].to_pylist()) == {"TIENDA", "APP", "WEB"}
    assert set(table["tipo_transaccion"].to_pylist()) == {"ACUMULACION", "REDENCION", "DEVOLUCION"}
