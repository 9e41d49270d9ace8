from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipelines.monitoring.profiled_loans import loans, profile_of

from clientela.exceptions import InvalidProfileError
from clientela.pipelines.monitoring.profile import (
    BinEdge,
    Period,
    ProfileSettings,
    build_baseline_profile,
    compute_digest,
)


def test_the_order_of_rows_and_columns_is_no_matter():
    frame = loans(500)
    shuffled = frame.sample(frac=1, random_state=1)[frame.columns[::-1]]
    assert profile_of(shuffled).model_dump_json() == profile_of(frame).model_dump_json()


def test_batches_make_the_profile_of_the_whole():
    table = pa.Table.from_pandas(loans(500), preserve_index=False)
    made = build_baseline_profile(
        table.to_batches(max_chunksize=37), ProfileSettings(), use_case="credit_payment"
    )
    assert made == profile_of(loans(500))


def test_another_value_is_another_data_hash_and_another_type_another_schema_hash():
    frame = loans(100)
    salary = frame["salario_cliente"]
    other = profile_of(frame.assign(salario_cliente=salary.where(salary != salary.max(), 9e9)))
    text = profile_of(frame.assign(salario_cliente=salary.astype("str")))
    assert other.data_hash != profile_of(frame).data_hash
    assert other.schema_hash == profile_of(frame).schema_hash
    assert text.schema_hash != profile_of(frame).schema_hash


def test_a_number_is_described():
    column = profile_of(pd.DataFrame({"plazo": [6.0, 12.0, 12.0, np.nan, 24.0]})).columns["plazo"]
    assert (column.n, column.missing, column.minimum, column.maximum) == (5, 1, 6.0, 24.0)
    assert (column.mean, column.standard_deviation) == (13.5, pytest.approx(7.549834435))


def test_deciles_are_interpolated():
    column = profile_of(pd.DataFrame({"plazo": np.arange(6.0)})).columns["plazo"]
    assert column.deciles == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5])


def test_rows_are_counted_below_at_and_above_each_point():
    column = profile_of(pd.DataFrame({"plazo": [6.0, 6.0, np.nan]})).columns["plazo"]
    assert column.points == (6.0,)
    assert column.cells == (0, 2, 0, 1)
    assert column.counts == (0, 2, 0)


def test_minus_zero_is_zero():
    one, other = (
        profile_of(pd.DataFrame({"saldo": values})) for values in ([0.0, -0.0], [-0.0] * 2)
    )
    assert one.model_dump_json() == other.model_dump_json()


def test_a_column_without_values_is_profiled_as_missing():
    column = profile_of(pd.DataFrame({"saldo": [np.nan, np.nan]})).columns["saldo"]
    assert (column.missing, column.points, column.counts) == (2, (), (0,))


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=300), st.integers(10, 40))
def test_between_two_points_lies_less_than_the_certified_share(values, points):
    frame = pd.DataFrame({"monto": np.array(values, dtype=float)})
    column = profile_of(frame, ProfileSettings(points=points)).columns["monto"]
    assert max(column.cells[0:-1:2]) < len(values) / points


def test_frequent_values_get_cells_ties_by_value_and_others_digests():
    values = ["b"] * 30 + ["a"] * 30 + ["c"] * 35 + ["raro"] * 2 + [None] * 3
    settings = ProfileSettings(top_values=2)
    column = profile_of(pd.DataFrame({"tipo": values}), settings).columns["tipo"]
    assert (column.values, column.counts) == (("c", "a"), (35, 30))  # noqa: PD011 - no frame
    assert (column.other, column.missing) == (32, 3)
    assert column.other_values == tuple(sorted([compute_digest("b"), compute_digest("raro")]))


def test_a_rare_value_gets_no_cell():
    frame = pd.DataFrame({"tipo": ["a"] * 990 + ["b"] * 10})
    settings = ProfileSettings(minimum_share=0.02)
    assert profile_of(frame, settings).columns["tipo"].counts == (990,)


def test_period_and_use_case_are_kept():
    period = Period(first=date(2025, 1, 1), last=date(2025, 6, 30))
    made = build_baseline_profile(loans(10), ProfileSettings(), use_case="credito", period=period)
    assert (made.use_case, made.period, made.rows) == ("credito", period, 10)


def test_dates_are_left_out_unless_asked_for():
    frame = pd.DataFrame({"fecha": [date(2025, 1, 1)], "plazo": [6]})
    assert list(profile_of(frame).columns) == ["plazo"]
    with pytest.raises(InvalidProfileError, match=r"fecha should hold numbers.*date32"):
        build_baseline_profile(frame, ProfileSettings(), use_case="c", columns=["fecha"])


def test_a_table_of_dates_only_has_nothing_to_watch():
    with pytest.raises(InvalidProfileError, match=r"to watch; its columns are \['fecha'\]"):
        profile_of(pd.DataFrame({"fecha": [date(2025, 1, 1)]}))


def test_only_the_columns_asked_for_are_watched():
    made = build_baseline_profile(
        loans(10), ProfileSettings(), use_case="c", columns=["plazo_meses"]
    )
    assert list(made.columns) == ["plazo_meses"]


def test_an_unknown_column_is_refused_with_a_hint():
    with pytest.raises(InvalidProfileError, match=r"plazo_mese is no column.*'plazo_meses'"):
        build_baseline_profile(loans(10), ProfileSettings(), use_case="c", columns=["plazo_mese"])


def test_no_rows_are_no_baseline():
    with pytest.raises(InvalidProfileError, match="A baseline should have rows"):
        profile_of(loans(0))


def test_infinite_numbers_are_no_baseline():
    with pytest.raises(InvalidProfileError, match="saldo should hold finite numbers"):
        profile_of(pd.DataFrame({"saldo": [1.0, np.inf]}))


def test_identifiers_are_refused_by_name():
    frame = pd.DataFrame({"id_cliente": [f"C{number}" for number in range(200)]})
    with pytest.raises(InvalidProfileError, match="id_cliente should have at most 100 rare values"):
        profile_of(frame, ProfileSettings(known_values=100, minimum_share=0.01))


def test_one_row_is_a_profile():
    column = profile_of(pd.DataFrame({"plazo": [6]})).columns["plazo"]
    assert column.edges == (BinEdge(value=6.0, included=False), BinEdge(value=6.0, included=True))
    assert column.standard_deviation is None
