import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from clientela.models.calibration import calibration_table, compute_cumulative_gains, gain_table
from clientela.models.metrics import compute_score_histogram

TRUE = np.array([0, 0, 1, 0, 1, 0, 1, 1, 0, 1])
PROBABILITY = np.arange(10) / 10


def test_a_calibration_bin_compares_what_was_promised_with_what_came():
    table = calibration_table(TRUE, PROBABILITY, bins=2)
    interval = binomtest(3, 5).proportion_ci(method="wilson")
    assert table["rows"].tolist() == [5, 5]
    assert table["promised"].tolist() == pytest.approx([0.2, 0.7])
    assert table["observed"].tolist() == [0.4, 0.6]
    assert table.loc[1, ["lower", "upper"]].tolist() == pytest.approx([*interval])


def test_rows_with_one_probability_stay_in_one_bin():
    table = calibration_table(TRUE, np.array([0.3] * 8 + [0.6] * 2), bins=5)
    assert table["rows"].tolist() == [8, 2]


def test_gain_counts_the_class_among_the_surest_rows():
    ones = compute_cumulative_gains(compute_score_histogram(TRUE, PROBABILITY), 1, 5)
    assert ones == pytest.approx([1 / 5, 3 / 5, 4 / 5, 1, 1])
    zeros = compute_cumulative_gains(compute_score_histogram(TRUE, PROBABILITY), 0, 5)
    assert zeros == pytest.approx([2 / 5, 3 / 5, 4 / 5, 4 / 5, 1])


def test_gain_of_tied_rows_is_the_mean_over_their_orders():
    true, tied = np.array([1, 0, 0, 1]), np.array([0.5, 0.5, 0.5, 0.9])
    generator = np.random.default_rng(0)
    drawn = [
        compute_cumulative_gains(
            compute_score_histogram(true, tied + 1e-9 * generator.permutation(4)), 1, 4
        )
        for _ in range(4000)
    ]
    assert compute_cumulative_gains(compute_score_histogram(true, tied), 1, 4) == pytest.approx(
        np.mean(drawn, axis=0), abs=0.02
    )


def test_lift_times_overall_share_is_the_share_in_the_part():
    table = gain_table(TRUE, PROBABILITY, code=1, replicates=200, seed=0, parts=5)
    assert table["share"].tolist() == pytest.approx([0.5, 1, 0.5, 0.5, 0])
    assert table["lift"].tolist() == pytest.approx([1, 2, 1, 1, 0])
    assert table["rows"].tolist() == [2] * 5
    for name in ("lift", "gain"):
        assert (table[f"{name}_lower"] <= table[name] + 1e-12).all()
        assert (table[f"{name}_upper"] >= table[name] - 1e-12).all()


@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=20).filter(
        lambda rows: any(code for code, _ in rows)
    ),
    seed=st.integers(0, 9),
)
def test_gain_rises_to_one_whatever_the_order_of_rows(rows, seed):
    table = np.array(rows)
    mixed = np.random.default_rng(seed).permutation(table)
    first, second = (
        compute_cumulative_gains(compute_score_histogram(r[:, 0], r[:, 1] / 5), 1, 10)
        for r in (table, mixed)
    )
    assert first.tolist() == second.tolist()
    assert (np.diff(first) >= -1e-12).all()
    assert first[-1] == pytest.approx(1)


def test_one_seed_gives_one_table():
    first, second = (gain_table(TRUE, PROBABILITY, code=0, replicates=20, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
