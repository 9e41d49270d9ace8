import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression

from clientela.exceptions import ConfigurationError
from clientela.models.calibration import (
    CALIBRATIONS,
    calibration_table,
    compute_cumulative_gains,
    gain_table,
)
from clientela.models.metrics import BINARY_METRICS, compute_score_histogram

NO_COSTS = np.zeros((2, 2))


def overconfident(rows, seed):
    """True codes, and probabilities whose log-odds are 3 times too large."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(-1, 1, size=rows)
    return (generator.random(rows) < expit(odds)).astype(np.int64), expit(3 * odds)


def test_sigmoid_finds_the_factor_that_log_odds_were_stretched_by():
    true, raw = overconfident(20_000, 0)
    slope, intercept = CALIBRATIONS["sigmoid"].learn(true, raw).ravel()
    assert slope == pytest.approx(1 / 3, abs=0.02)
    assert intercept == pytest.approx(0, abs=0.05)


def test_sigmoid_minimises_the_log_loss_of_platts_targets():
    true, raw = overconfident(300, 1)
    ones = true.sum()
    target = np.where(true == 1, (ones + 1) / (ones + 2), 1 / (300 - ones + 2))

    def loss(x):
        p = expit(x[0] * logit(raw) + x[1])
        return -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum()

    expected = minimize(loss, [1.0, 0.0], tol=1e-10).x
    assert CALIBRATIONS["sigmoid"].learn(true, raw).ravel() == pytest.approx(expected, abs=1e-4)


def test_isotonic_is_scikit_learns_kept_off_certainty():
    true, raw = overconfident(300, 2)
    grid = np.linspace(0, 1, 50)
    isotonic = IsotonicRegression(y_min=1 / 302, y_max=301 / 302, out_of_bounds="clip")
    expected = isotonic.fit(raw, true).predict(grid)
    calibration = CALIBRATIONS["isotonic"]
    assert calibration.apply(grid, calibration.learn(true, raw)) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["sigmoid", "isotonic"])
def test_calibration_helps_rows_it_was_not_learned_from(name):
    calibration = CALIBRATIONS[name]
    learned = calibration.learn(*overconfident(2000, 3))
    true, raw = overconfident(2000, 4)
    for measure in ("brier", "log_loss", "calibration_error"):
        before = BINARY_METRICS[measure](true, raw, NO_COSTS)
        assert BINARY_METRICS[measure](true, calibration.apply(raw, learned), NO_COSTS) < before


@pytest.mark.parametrize("name", CALIBRATIONS)
@settings(deadline=None)  # a busy machine is no counterexample
@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=4, max_size=30).filter(
        lambda rows: len({code for code, _ in rows}) == 2
    )
)
def test_no_calibration_turns_the_order_of_two_rows_around(name, rows):
    true, raw = np.array([code for code, _ in rows]), np.array([p for _, p in rows])
    calibration = CALIBRATIONS[name]
    ordered = compute_score_histogram(true, raw).levels
    calibrated = calibration.apply(ordered, calibration.learn(true, raw))
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


def test_an_unknown_calibration_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"'isotonc'.*'isotonic'"):
        CALIBRATIONS.named("isotonc")


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
