from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.retail import (
    CUSTOMER_COLUMNS,
    MISSING_BIRTH_DATE,
    MISSING_ESTRATO,
    TransactionSimulation,
    build_customers_table,
    draw_customers,
    encode_customer_ids,
)


@pytest.fixture(scope="module")
def many(calendar):
    simulation = TransactionSimulation(customers=8_000, transactions=8_000)
    chunk = next(simulation.blocks())
    return chunk, draw_customers(chunk, calendar)


def test_ids_are_unique_texts_of_eight_digits_with_leading_zeros():
    ids = encode_customer_ids(np.arange(200_000)).to_pylist()
    assert len(set(ids)) == len(ids)
    assert all(len(text) == 8 and text.isdigit() for text in ids)
    assert 0.05 < np.mean([text.startswith("0") for text in ids]) < 0.15


def test_everyone_is_active_for_a_while_within_the_window(many, calendar):
    _chunk, people = many
    assert (people.active_from >= 0).all()
    assert (people.active_from < people.active_until).all()
    assert (people.active_until <= calendar.hours).all()


def test_some_customers_lapse_and_most_do_not(many, calendar):
    _chunk, people = many
    assert 0.1 < (people.active_until < calendar.hours).mean() < 0.3


def test_the_table_has_the_columns_and_types_of_the_contract(many):
    chunk, people = many
    table = build_customers_table(chunk, people, np.arange(8_000))
    assert table.schema == pa.schema(
        {
            "id_cliente": pa.string(),
            "fecha_nacimiento": pa.date32(),
            "genero": pa.string(),
            "estrato_social": pa.int64(),
            "saldo_puntos": pa.int64(),
        }
    )
    assert tuple(table.column_names) == CUSTOMER_COLUMNS


def test_birth_dates_and_estratos_are_partly_missing(many):
    chunk, people = many
    table = build_customers_table(chunk, people, np.zeros(8_000, np.int64))
    missing = {name: table[name].null_count / 8_000 for name in CUSTOMER_COLUMNS}
    assert missing["fecha_nacimiento"] == pytest.approx(MISSING_BIRTH_DATE, abs=0.02)
    assert missing["estrato_social"] == pytest.approx(MISSING_ESTRATO, abs=0.02)
    assert missing["id_cliente"] == missing["saldo_puntos"] == 0


def test_customers_are_adults_and_strata_run_from_one_to_six(many):
    chunk, people = many
    table = build_customers_table(chunk, people, np.zeros(8_000, np.int64))
    births = table["fecha_nacimiento"].drop_null().to_pylist()
    assert date(1938, 1, 1) < min(births)
    assert max(births) < date(2006, 7, 2)
    assert set(table["estrato_social"].drop_null().to_pylist()) == {1, 2, 3, 4, 5, 6}
