import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clientela.pipelines.eda.column_profile import (
    QUANTILES,
    compute_histograms,
    compute_quantiles,
    compute_shape_statistics,
    count_categories,
    histogram_edges,
    quantile_name,
)

numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=60)


@settings(max_examples=25, deadline=None)
@given(numbers)
def test_quantiles_are_the_nearest_rank_ones_of_numpy(values):
    table = ibis.memtable({"x": values})
    (row,) = compute_quantiles(table, ["x"]).execute().to_dict("records")
    for share in QUANTILES:
        expected = np.quantile(values, share, method="inverted_cdf")
        assert row[quantile_name(share)] == expected
    assert row["top_rows"] == max(values.count(v) for v in values)


@settings(max_examples=20, deadline=None)
@given(numbers.filter(lambda values: len(set(values)) > 1), st.integers(0, 10**6))
def test_shape_agrees_with_scipy_however_far_from_zero(values, shift):
    moved = np.array(values, float) + shift
    table = ibis.memtable({"x": moved})
    moments = pd.DataFrame(
        {
            "column": ["x"],
            "rows": len(moved),
            "missing": 0,
            "mean": moved.mean(),
            "std": moved.std(ddof=1),
        }
    )
    (row,) = compute_shape_statistics(table, moments).execute().to_dict("records")
    assert row["skewness"] == pytest.approx(stats.skew(moved), abs=2e-3)
    assert row["kurtosis"] == pytest.approx(stats.kurtosis(moved), abs=2e-3)


def test_a_column_without_spread_has_no_shape():
    moments = pd.DataFrame({"column": ["x"], "rows": 3, "missing": 0, "mean": 1.0, "std": 0.0})
    assert compute_shape_statistics(ibis.memtable({"x": [1, 1, 1]}), moments).execute().empty


def profile(**values):
    return pd.Series({"type": "int64", "minimum": 0, "maximum": 0, "q01": 0, "q99": 0} | values)


def test_few_whole_numbers_get_a_bin_each():
    assert histogram_edges(profile(q01=1, q99=3)) == [0.5, 1.5, 2.5, 3.5]


def test_many_values_get_even_bins_between_the_percentiles():
    edges = histogram_edges(profile(type="float64", q01=0, q99=48, minimum=-100, maximum=900))
    assert (edges[0], edges[1], edges[-1]) == (0, 2, 48)


def test_percentiles_that_coincide_give_way_to_the_extremes():
    assert histogram_edges(profile(type="float64", maximum=24))[-1] == 24


def test_a_constant_has_no_histogram():
    assert histogram_edges(profile()) == []


@settings(max_examples=20, deadline=None)
@given(numbers, st.lists(st.integers(-1000, 1000), min_size=1, max_size=8, unique=True))
def test_histograms_count_every_row_once_in_the_bin_numpy_names(values, edges):
    inner = sorted(float(e) for e in edges)
    found = compute_histograms(ibis.memtable({"x": values}), {"x": inner}).execute()
    expected = pd.Series(np.searchsorted(inner, values, side="right")).value_counts()
    assert dict(zip(found["bin"], found["rows"], strict=True)) == expected.to_dict()


def test_missing_values_are_in_no_bin():
    table = ibis.memtable({"x": [1.0, None, 3.0]})
    assert compute_histograms(table, {"x": [2.0]}).execute()["rows"].tolist() == [1, 1]


def test_rare_values_are_never_named_and_ties_go_by_name():
    table = ibis.memtable({"c": ["b", "b", "a", "a", "z", None]})
    found = count_categories(table, ["c"], top=5, min_rows=2).execute()
    assert found["value"].tolist() == ["a", "b"]
    assert found["rows"].tolist() == [2, 2]


def test_tables_without_numbers_or_categories_give_empty_frames():
    table = ibis.memtable({"x": [1]})
    assert compute_quantiles(table, []).execute().empty
    assert compute_histograms(table, {}).execute().empty
    assert count_categories(table, [], 5, 1).execute().empty
