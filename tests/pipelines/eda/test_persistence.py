import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

from clientela.pipelines.eda.association import (
    build_contingency_matrix,
    compute_two_windows,
    count_class_transitions,
    evaluate_binary_rule,
)

BOUNDS = [1, 2, 4]


def pairs_of(frame, months=3):
    table = ibis.memtable(frame)
    windows = compute_two_windows(table, months)
    bought = (table["rubro"] == "ropa") & (table["valor"] > 0)
    return count_class_transitions(table, bought, windows, BOUNDS).execute()


def slow_pairs(frame, months=3):
    end = frame["fecha"].max().normalize() + pd.Timedelta(days=1)
    middle, start = end - relativedelta(months=months), end - relativedelta(months=2 * months)
    counts = {}
    for _, rows in frame.groupby("id_cliente"):
        if not (rows["fecha"] < middle).any():
            continue
        bought = rows[(rows["rubro"] == "ropa") & (rows["valor"] > 0)]["fecha"]
        before = int(((bought >= start) & (bought < middle)).sum())
        after = int(((bought >= middle) & (bought < end)).sum())
        pair = tuple(sum(n >= bound for bound in BOUNDS) for n in (before, after))
        counts[pair] = counts.get(pair, 0) + 1
    return counts


rows = st.tuples(
    st.sampled_from(["a", "b", "c", "d"]),
    st.datetimes(dt.datetime(2023, 8, 1), dt.datetime(2024, 2, 29, 23)),  # noqa: DTZ001
    st.sampled_from(["ropa", "hogar"]),
    st.sampled_from([10.0, -10.0]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(rows, min_size=1, max_size=40))
def test_windows_and_classes_agree_with_a_slow_loop(sample):
    frame = pd.DataFrame(sample, columns=["id_cliente", "fecha", "rubro", "valor"])
    found = pairs_of(frame)
    keys = zip(found["before"], found["after"], strict=True)
    assert dict(zip(keys, found["customers"], strict=True)) == slow_pairs(frame)


@pytest.mark.parametrize("last", ["2024-05-30", "2024-02-29", "2024-08-31"])
def test_windows_count_from_one_anchor_at_month_ends(last):
    table = ibis.memtable(pd.DataFrame({"fecha": pd.to_datetime([f"{last} 18:00"])}))
    (row,) = compute_two_windows(table, 3).execute().to_dict("records")
    end = pd.Timestamp(last) + pd.Timedelta(days=1)
    assert row["end"] == end
    assert row["middle"] == end - relativedelta(months=3)
    assert row["start"] == end - relativedelta(months=6)


def test_counts_of_classes_that_nobody_has_are_zero():
    pairs = pd.DataFrame({"before": [0, 3], "after": [0, 1], "customers": [5, 2]})
    counts = build_contingency_matrix(pairs, 4)
    assert counts.sum() == 7
    assert (counts[0, 0], counts[3, 1]) == (5, 2)


cells = st.lists(st.integers(0, 6), min_size=16, max_size=16)


@settings(max_examples=50, deadline=None)
@given(cells)
def test_the_binary_rule_agrees_with_sklearn_row_by_row(values):
    counts = np.array(values, float).reshape(4, 4)
    before, after = (np.repeat(codes, values) for codes in np.indices((4, 4)).reshape(2, 16))
    rule = evaluate_binary_rule(counts)
    if len(before) == 0:
        assert np.isnan(rule.accuracy)
        return
    assert rule.accuracy == pytest.approx(accuracy_score(after > 0, before > 0))
    assert rule.repeated == pytest.approx((before == after).mean())
    if 0 < (after > 0).sum() < len(after):
        assert rule.auc == pytest.approx(roc_auc_score(after > 0, before > 0))
        assert rule.graded_auc == pytest.approx(roc_auc_score(after > 0, before))
    else:
        assert np.isnan(rule.auc)


def test_a_category_that_nobody_buys_leaves_everybody_in_the_first_class():
    frame = pd.DataFrame(
        {
            "id_cliente": ["a", "b"],
            "fecha": pd.to_datetime(["2024-01-01", "2024-06-30"]),
            "rubro": "hogar",
            "valor": 1.0,
        }
    )
    found = pairs_of(frame)
    assert found.to_dict("list") == {"before": [0], "after": [0], "customers": [1]}
