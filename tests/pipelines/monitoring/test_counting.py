from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipelines.monitoring.profiled_loans import loans, profile_of

from clientela.exceptions import IncompatibleDataError
from clientela.pipelines.monitoring.counting import Range, count_rows_by_cell
from clientela.pipelines.monitoring.profile import ProfileSettings, compute_digest

PROFILE = profile_of(loans(400), ProfileSettings(points=20))


def strange_loans() -> pd.DataFrame:
    """What a baseline never had: infinite, tiny and absent numbers, new words, accents."""
    return loans(60, seed=1).assign(
        salario_cliente=[np.inf, -np.inf, np.nan, 0.0, -0.0, 1e12, *[3e6] * 54],
        plazo_meses=[6, 7, 12, 11, 24, 25] * 10,
        tendencia_ingresos=["Estable", "nan", None, "ñandú", "", "Estable "] * 10,
    )


def slow_cells(values, column):
    """Rows per cell, one row and one cell after the other."""
    cells = [0] * len(column.cells)
    for value in values:
        if pd.isna(value):
            place = len(cells) - 1
        elif column.type == "categorical":
            own = {name: at for at, name in enumerate(column.values)}
            known = compute_digest(str(value)) in column.other_values
            place = own.get(value, len(own) + (0 if known else 1))
        else:
            place = sum((value > point) + (value >= point) for point in column.points)
        cells[place] += 1
    return tuple(cells)


NUMBERS = st.one_of(
    st.none(),
    st.integers(-9, 9).map(float),
    st.floats(-1e100, 1e100),
    st.sampled_from([np.nan, np.inf, -np.inf, -0.0]),
)
WORDS = st.sampled_from([None, "a", "A", "raro", "ñ", "", "nan", "o'k", "null"])
FRAME = st.lists(st.tuples(NUMBERS, WORDS), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(FRAME, FRAME)
def test_any_numbers_and_words_are_counted_as_a_slow_loop_does(then, now):
    types = {"monto": "float64", "tipo": "str"}
    before, after = (pd.DataFrame(rows, columns=list(types)).astype(types) for rows in (then, now))
    finite = before.assign(monto=before["monto"].where(np.isfinite(before["monto"])))
    profile = profile_of(finite, ProfileSettings(bins=3, points=10, top_values=2))
    assert count_rows_by_cell(after, profile).cells == {
        name: slow_cells(after[name], column) for name, column in profile.columns.items()
    }


def test_decimals_and_integers_are_counted_as_the_floats_they_are():
    amounts = ["0.10", "0.20", "0.20", "100.55", "3.00"]
    profile = profile_of(pd.DataFrame({"monto": [*map(float, amounts), np.nan], "plazo": 6.0}))
    exact = pa.array([*map(Decimal, amounts), None], pa.decimal128(18, 2))
    found = count_rows_by_cell(pa.table({"monto": exact, "plazo": [6] * 6}), profile)
    assert found.cells == {name: column.cells for name, column in profile.columns.items()}


def test_the_baseline_itself_has_the_counts_of_the_profile():
    found = count_rows_by_cell(loans(400), PROFILE)
    assert found.cells == {name: column.cells for name, column in PROFILE.columns.items()}
    assert found.rows == 400
    assert found.ranges["version_politica"] == Range(1.0, 1.0)


def test_every_row_is_in_one_cell_of_every_column():
    found = count_rows_by_cell(strange_loans(), PROFILE)
    assert {sum(cells) for cells in found.cells.values()} == {60}


def test_known_rare_values_are_other_and_unknown_ones_new():
    frame = pd.DataFrame({"tipo": ["a"] * 990 + ["raro"] * 4 + [None] * 6})
    current = pd.DataFrame({"tipo": ["a", "raro", "raro", "nuevo", None, "A"]})
    assert count_rows_by_cell(current, profile_of(frame)).cells["tipo"] == (1, 2, 2, 1)


@pytest.mark.parametrize("name", ["salario_cliente", "tendencia_ingresos"])
def test_a_column_that_lost_its_type_with_its_values_is_all_missing(name):
    table = pa.Table.from_pandas(loans(5), preserve_index=False)
    place = table.schema.get_field_index(name)
    found = count_rows_by_cell(table.set_column(place, name, pa.nulls(5)), PROFILE)
    assert found.cells[name][-1] == 5
    assert name not in found.ranges


def test_no_rows_are_counted_as_none():
    found = count_rows_by_cell(loans(0).astype({"tendencia_ingresos": "str"}), PROFILE)
    assert (found.rows, found.ranges) == (0, {})


def test_further_columns_are_no_matter():
    extra = loans(20).assign(fecha=pd.Timestamp("2025-01-01"))
    assert count_rows_by_cell(extra, PROFILE) == count_rows_by_cell(loans(20), PROFILE)


def test_a_missing_column_is_refused_with_a_hint():
    renamed = loans(5).rename(columns={"plazo_meses": "plazo_mes"})
    with pytest.raises(IncompatibleDataError, match=r"\['plazo_meses'\] are missing.*'plazo_mes'"):
        count_rows_by_cell(renamed, PROFILE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plazo_meses": "12"}, "plazo_meses is numeric in the baseline and categorical now"),
        ({"es_empleado": 1}, "es_empleado is categorical in the baseline and numeric now"),
        ({"plazo_meses": pd.Timestamp("2025-01-01")}, "numeric in the baseline and of another"),
    ],
)
def test_a_changed_type_is_refused_not_guessed(changes, message):
    with pytest.raises(IncompatibleDataError, match=message):
        count_rows_by_cell(loans(5).assign(**changes), PROFILE)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
@given(st.permutations(range(60)), st.integers(1, 60), st.integers(1, 59))
def test_neither_order_nor_batches_nor_parts_change_a_count(order, batch, cut):
    whole = count_rows_by_cell(strange_loans(), PROFILE)
    shuffled = pa.Table.from_pandas(strange_loans().iloc[order], preserve_index=False)
    assert count_rows_by_cell(shuffled.to_batches(max_chunksize=batch), PROFILE) == whole
    parts = [count_rows_by_cell(part, PROFILE) for part in (shuffled[:cut], shuffled[cut:])]
    assert parts[0] + parts[1] == whole


def test_counts_of_two_baselines_do_not_add_up():
    with pytest.raises(IncompatibleDataError, match="Counts add up against one profile"):
        count_rows_by_cell(loans(5), PROFILE) + count_rows_by_cell(loans(5), profile_of(loans(9)))
