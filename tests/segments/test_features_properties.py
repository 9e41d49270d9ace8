"""What must never change a feature of segments, and what always holds of them."""

from random import Random

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.tables import at
from tests.segments.tables import (
    LAYOUT,
    UNPOOLED,
    Data,
    Shop,
    Tx,
    data,
    later_days,
    transactions,
)

from clientela.exceptions import RowAccountingError
from clientela.features.rubros import (
    aggregate_rubro_features,
    collect_rubro_counts,
    list_rubro_feature_columns,
)
from clientela.features.segment_columns import (
    AFTER_MODEL_DATE,
    NO_TRANSACTION,
    ColumnLayout,
    SegmentationParams,
    SegmentFeatureParams,
)
from clientela.models.segment_model import account_for_customers

YEAR = SegmentFeatureParams()
CASES = [
    (LAYOUT, YEAR),
    (LAYOUT, SegmentFeatureParams(window_months=None)),
    (UNPOOLED, SegmentFeatureParams(window_months=2, pool_rest=False)),
]
later = transactions(st.sampled_from([f"c{i}" for i in range(5)]), later_days)
cases = st.sampled_from(CASES)


def features(case: tuple[ColumnLayout, SegmentFeatureParams]) -> ir.Table:
    return aggregate_rubro_features(Shop.transactions, Shop.customers, *case)


@settings(max_examples=12, deadline=None)
@given(data(), cases, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_changes_a_feature(
    shop: Shop, drawn: Data, case: tuple[ColumnLayout, SegmentFeatureParams], random: Random
) -> None:
    shuffled = Data([*drawn.transactions], [*drawn.people])
    random.shuffle(shuffled.transactions)
    random.shuffle(shuffled.people)
    table = features(case)
    assert shop.by_customer(table, shuffled) == shop.by_customer(table, drawn)


@settings(max_examples=12, deadline=None)
@given(data(), cases, st.lists(later, min_size=1, max_size=8))
def test_rows_after_the_date_of_the_model_never_change_a_feature(
    shop: Shop, drawn: Data, case: tuple[ColumnLayout, SegmentFeatureParams], future: list[Tx]
) -> None:
    table, known = features(case), Data([*drawn.transactions, *future], drawn.people)
    assert shop.by_customer(table, known) == shop.by_customer(table, drawn)


@settings(max_examples=10, deadline=None)
@given(data(), st.lists(later, min_size=1, max_size=8))
def test_rows_after_the_date_of_the_model_never_change_what_was_observed(
    shop: Shop, drawn: Data, future: list[Tx]
) -> None:
    params = SegmentFeatureParams(fecha_modelo=LAYOUT.fecha_modelo, categoricals={"canal": 3})
    tables = collect_rubro_counts(Shop.transactions, Shop.customers, params)
    known = Data([*drawn.transactions, *future], drawn.people)
    for name, key in {"rubros": "rubro", "values": "value"}.items():
        before, after = (shop.frame(tables[name], each, [key]) for each in (drawn, known))
        pd.testing.assert_frame_equal(before, after)


@settings(max_examples=12, deadline=None)
@given(data(), cases)
def test_every_customer_has_one_row_with_bounded_scores_and_shares_that_add_up(
    shop: Shop, drawn: Data, case: tuple[ColumnLayout, SegmentFeatureParams]
) -> None:
    layout, _ = case
    found = shop.by_customer(features(case), drawn)
    known = {person.id_cliente for person in drawn.people}
    seen = {row.id_cliente for row in drawn.transactions}
    assert found.keys() == known | seen
    for row in found.values():
        assert all(isinstance(row[name], float) for name in list_rubro_feature_columns(layout))
        assert all(0 <= row[f"score_{slug}"] <= 1 for slug in layout.slugs)
        total = sum(row[f"participacion_{slug}"] for slug in layout.slugs)
        assert total in (0.0, pytest.approx(1.0, abs=1e-12))
        values = layout.value_slugs.get("canal", [])
        assert sum(row[f"participacion_canal_{value}"] for value in values) <= 1 + 1e-12


@settings(max_examples=12, deadline=None)
@given(data())
def test_a_top_rubro_is_one_that_has_a_score(shop: Shop, drawn: Data) -> None:
    slugs = {label: slug for slug, label in LAYOUT.labels.items()}
    for row in shop.by_customer(features((LAYOUT, YEAR)), drawn).values():
        scores = {slug: row[f"score_{slug}"] for slug in LAYOUT.slugs}
        if row["rubro_top"] is None:
            assert set(scores.values()) == {0.0}
        else:
            assert scores[slugs[row["rubro_top"]]] > 0


@settings(max_examples=20, deadline=None)
@given(data(), cases, st.lists(later, max_size=8), st.booleans())
def test_every_known_customer_is_exported_or_left_out_with_a_reason(
    shop: Shop,
    drawn: Data,
    case: tuple[ColumnLayout, SegmentFeatureParams],
    future: list[Tx],
    with_file: bool,
) -> None:
    layout, params = case
    known = Data([*drawn.transactions, *future], drawn.people if with_file else [])
    dated = params.model_copy(update={"fecha_modelo": layout.fecha_modelo})
    counts = collect_rubro_counts(Shop.transactions, Shop.customers, dated)["customers"]
    found = shop.frame(features(case), known, ["id_cliente"])
    places = found[["id_cliente"]].assign(cluster_id=np.where(found["num_tx"] < 5, -1, 0))
    observed = {"customers": shop.frame(counts, known, ["activity"])}
    account = account_for_customers(observed, places, SegmentationParams())

    past = {row.id_cliente for row in drawn.transactions} | {p.id_cliente for p in known.people}
    everybody = past | {row.id_cliente for row in future}
    assert set(found["id_cliente"]) == past
    assert (account["known"], account["exported"]) == (len(everybody), len(past))
    assert account["left_out_reasons"] == {AFTER_MODEL_DATE: len(everybody - past)}
    reasons = account["sin_actividad_reasons"]
    assert sum(reasons.values()) == account["sin_actividad"] == (found["num_tx"] < 5).sum()
    assert all(customers >= 0 for customers in reasons.values())


def test_who_bought_before_the_window_alone_is_without_activity(shop: Shop) -> None:
    rows = [*[Tx("ana", at("2024-02-10"))] * 5, Tx("beto", at("2023-01-29"))]
    found = shop.by_customer(features((LAYOUT, YEAR)), Data(rows, []))
    assert {key: row["num_tx"] for key, row in found.items()} == {"ana": 5, "beto": 0}
    assert found["beto"]["recencia_dias"] == 366


def test_customers_that_do_not_add_up_are_an_error() -> None:
    observed = {"customers": pd.DataFrame({"activity": [NO_TRANSACTION], "customers": [2]})}
    members = pd.DataFrame({"cluster_id": [-1]})
    with pytest.raises(RowAccountingError, match="2 customers are known; 1"):
        account_for_customers(observed, members, SegmentationParams())


def test_the_last_moment_of_the_day_is_seen_and_the_next_one_is_not(shop: Shop) -> None:
    last, following = at("2024-02-29 23:59:59.999999"), at("2024-03-01")
    drawn = Data([Tx("ana", last), Tx("ana", following)], [])
    assert shop.by_customer(features((LAYOUT, YEAR)), drawn)["ana"]["num_tx"] == 1
