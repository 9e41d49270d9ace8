import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from clientela.exceptions import ConfigurationError
from clientela.models.calibration import CALIBRATIONS
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
