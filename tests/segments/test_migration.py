from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.metrics import adjusted_rand_score

from clientela.features.segment_columns import ColumnLayout
from clientela.models.segmentation import SIN_ACTIVIDAD, SegmentIdentity
from clientela.pipelines.segmentation.migration import (
    LOST,
    NEW,
    migration_matrix,
    summarize_migration,
)
from clientela.text import NumberFormat

LAST_WEEK, TODAY = date(2024, 7, 31), date(2024, 8, 7)


def identity(day, names):
    return SegmentIdentity(
        fecha_modelo=day,
        layout=ColumnLayout(fecha_modelo=day, rubros=()),
        columns=("participacion_farmacia",),
        transformed=True,
        centers=tuple((float(segment),) for segment in names),
        ids=tuple(names),
        names=names,
        name_reasons={},
    )


def matrix_of(members, previous, after, before):
    known = identity(LAST_WEEK, before) if before else None
    return migration_matrix(members, previous, identity(TODAY, after), known)


def before_and_after(moves, nearest=None):
    """Members from customer to (previous, current), either of which may be None."""
    was = {customer: one for customer, (one, _) in moves.items() if one is not None}
    now = {customer: one for customer, (_, one) in moves.items() if one is not None}
    near = {**now, **(nearest or {})}
    members = pd.DataFrame(
        {
            "id_cliente": pd.Series(list(now), dtype="str"),
            "cluster_id": pd.Series(list(now.values()), dtype="int64"),
            "cluster_cercano": pd.Series([near[customer] for customer in now], dtype="int64"),
            "cluster_previo": pd.Series([was.get(customer) for customer in now], dtype="Int64"),
        }
    )
    previous = pd.DataFrame(
        {
            "id_cliente": pd.Series(list(was), dtype="str"),
            "cluster_id": pd.Series(list(was.values()), dtype="int64"),
        }
    )
    return members, previous


BEFORE = {0: "Farmacia", 1: "Hogar"}
AFTER = {0: "Farmacia", 2: "Ropa"}
MOVES = {
    "01": (0, 0),
    "02": (0, 0),
    "03": (0, 2),
    "04": (1, 2),
    "05": (1, None),
    "06": (None, 0),
    "07": (SIN_ACTIVIDAD, SIN_ACTIVIDAD),
    "08": (0, SIN_ACTIVIDAD),
}


def test_one_row_per_pair_of_segments_with_the_share_of_the_previous_one():
    expected = pd.DataFrame(
        [
            (0, "Farmacia", 0, "Farmacia", 2, 0.5),
            (0, "Farmacia", 2, "Ropa", 1, 0.25),
            (0, "Farmacia", SIN_ACTIVIDAD, "Sin actividad", 1, 0.25),
            (1, "Hogar", 2, "Ropa", 1, 0.5),
            (1, "Hogar", None, LOST, 1, 0.5),
            (SIN_ACTIVIDAD, "Sin actividad", SIN_ACTIVIDAD, "Sin actividad", 1, 1.0),
            (None, NEW, 0, "Farmacia", 1, None),
        ],
        columns=[
            "previous_id",
            "previous_name",
            "current_id",
            "current_name",
            "customers",
            "share",
        ],
    ).astype({"previous_id": "Int64", "current_id": "Int64"})
    assert_frame_equal(matrix_of(*before_and_after(MOVES), AFTER, BEFORE), expected)


def test_a_first_model_has_an_empty_matrix_of_the_same_columns_and_types():
    members, previous = before_and_after(MOVES)
    first = matrix_of(members, None, AFTER, {})
    later = matrix_of(members, previous, AFTER, BEFORE)
    assert first.empty
    assert first.dtypes.to_dict() == later.dtypes.to_dict()


def migrated(moves, before, after, nearest=None):
    members, previous = before_and_after(moves, nearest)
    matrix = matrix_of(members, previous, after, before)
    last = identity(LAST_WEEK, before)
    return summarize_migration(matrix, members, identity(TODAY, after), last, NumberFormat())


def test_the_share_that_moved_comes_before_the_share_that_stayed():
    found = migrated(MOVES, BEFORE, AFTER, nearest={"02": 2})
    assert found == {
        "previous": "2024-07-31",
        "current": "2024-08-07",
        "compared": 6,
        "still_inactive": 1,
        "changed_customers": 3,
        "same_segment_share": 0.4,
        "nearest_share": 0.2,
        "adjusted_rand": pytest.approx(
            adjusted_rand_score([0, 0, 0, 1, 0], [0, 0, 2, 2, -1]), rel=1e-5
        ),
        "held_by_margin": 1,
        "new_customers": 1,
        "lost_customers": 1,
        "births": [{"id": 2, "name": "Ropa"}],
        "deaths": [{"id": 1, "name": "Hogar"}],
        "renamed": [],
        "sentence": "El 60,0 % de los clientes comparados (3 de 5) cambió de segmento desde el "
        "modelo del 2024-07-31; sin el margen de permanencia habría sido el 80,0 %. El 40,0 % "
        "conserva el suyo. Clientes nuevos: 1; ya no aparecen: 1. Segmentos que nacen: «Ropa». "
        "Segmentos que terminan: «Hogar».",
    }


def test_segments_called_otherwise_are_named_both_ways():
    found = migrated({"01": (0, 0)}, {0: "Farmacia"}, {0: "Salud"})
    assert found["renamed"] == [{"id": 0, "before": "Farmacia", "name": "Salud"}]
    assert found["sentence"].endswith("«Farmacia» pasa a llamarse «Salud».")
    assert (found["births"], found["deaths"]) == ([], [])


def test_a_first_model_is_compared_with_none_and_says_so():
    members, _ = before_and_after({"01": (None, 0), "02": (None, 2)})
    matrix = matrix_of(members, None, AFTER, {})
    found = summarize_migration(matrix, members, identity(TODAY, AFTER), None, NumberFormat())
    assert found == {
        "previous": None,
        "current": "2024-08-07",
        "compared": 0,
        "still_inactive": 0,
        "changed_customers": 0,
        "same_segment_share": None,
        "nearest_share": None,
        "adjusted_rand": None,
        "held_by_margin": 0,
        "new_customers": 0,
        "lost_customers": 0,
        "births": [],
        "deaths": [],
        "renamed": [],
        "sentence": "Primer modelo: no hay uno anterior con el que comparar.",
    }


def test_customers_who_are_all_others_leave_nothing_to_compare():
    found = migrated({"01": (0, None), "02": (None, 0)}, {0: "Farmacia"}, {0: "Farmacia"})
    assert found["same_segment_share"] is None
    assert found["sentence"] == (
        "Ningún cliente con actividad está también en el modelo del 2024-07-31. "
        "Clientes nuevos: 1; ya no aparecen: 1."
    )


SEGMENT = st.sampled_from([None, SIN_ACTIVIDAD, 0, 1, 2])


@settings(max_examples=20, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(SEGMENT, SEGMENT).filter(lambda pair: pair != (None, None)), max_size=30
    )
)
def test_every_customer_is_counted_once_and_agrees_with_a_loop(pairs):
    names = {0: "Farmacia", 1: "Hogar", 2: "Ropa"}
    moves = {f"{place:02}": pair for place, pair in enumerate(pairs)}
    members, previous = before_and_after(moves)
    matrix = matrix_of(members, previous, names, names)
    found = summarize_migration(
        matrix, members, identity(TODAY, names), identity(LAST_WEEK, names), NumberFormat()
    )
    counted = found["compared"] + found["new_customers"] + found["lost_customers"]
    assert matrix["customers"].sum() == counted == len(pairs)
    of_segments = matrix.groupby("previous_id")["share"].sum()
    assert of_segments.tolist() == pytest.approx([1.0] * len(of_segments))
    moved = [was != now for was, now in pairs if None not in (was, now)]
    assert found["changed_customers"] == sum(moved)
    shuffled = matrix_of(members[::-1], previous[::-1], names, names)
    assert_frame_equal(shuffled, matrix)
