import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, cohen_kappa_score

from clientela.exceptions import ConfigurationError
from clientela.models.metrics import ORDINAL_METRICS, PointMetric, get_point_metric

VALUES = np.array([0.0, 1.0, 2.0, 4.0])

codes = st.integers(0, 3)
pairs = st.lists(st.tuples(codes, codes), min_size=2, max_size=40).map(np.array)


def slow_macro(true, predicted):
    by_class = []
    for code in range(4):
        misses = [abs(t - p) for t, p in zip(true, predicted, strict=True) if t == code]
        if misses:
            by_class.append(sum(misses) / len(misses))
    return sum(by_class) / len(by_class)


def slow_mean(cost):
    return lambda true, predicted: np.mean(
        [cost(t, p) for t, p in zip(true, predicted, strict=True)]
    )


ORACLES = {
    "mae_class": slow_mean(lambda t, p: abs(int(t) - int(p))),
    "mae_value": slow_mean(lambda t, p: abs(VALUES[t] - VALUES[p])),
    "amae": slow_macro,
    "off_by_one": slow_mean(lambda t, p: abs(int(t) - int(p)) <= 1),
    "accuracy": accuracy_score,
}


@pytest.mark.parametrize("name", ORACLES)
@given(rows=pairs)
def test_point_metrics_equal_their_slow_oracle(name, rows):
    true, predicted = rows.T
    assert ORDINAL_METRICS[name](true, predicted, VALUES) == pytest.approx(
        ORACLES[name](true, predicted)
    )


@given(rows=pairs)
def test_kappa_equals_scikit_learns_wherever_that_is_defined(rows):
    true, predicted = rows.T
    ours = ORDINAL_METRICS["qwk"](true, predicted, VALUES)
    if len(np.unique(rows)) == 1:
        assert ours == 0.0
    else:
        theirs = cohen_kappa_score(true, predicted, labels=range(4), weights="quadratic")
        assert ours == pytest.approx(theirs)


def probabilities_for(true, seed):
    return np.random.default_rng(seed).dirichlet(np.ones(4), size=len(true))


@given(true=st.lists(codes, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_ranked_probability_score_equals_a_loop(true, seed):
    table = probabilities_for(true, seed)
    total = 0.0
    for code, row in zip(true, table, strict=True):
        for boundary in range(3):
            total += (sum(row[: boundary + 1]) - (code <= boundary)) ** 2 / 3
    assert ORDINAL_METRICS["rps"](np.array(true), table, VALUES) == pytest.approx(total / len(true))


@given(true=st.lists(codes, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_calibration_error_equals_a_loop_over_boundaries_and_bins(true, seed):
    table = probabilities_for(true, seed)
    total = 0.0
    for boundary in range(3):
        above = 1 - table.cumsum(axis=1)[:, boundary]
        for low in range(10):
            inside = [i for i, p in enumerate(above) if min(int(p * 10), 9) == low]
            if inside:
                promised = np.mean([above[i] for i in inside])
                observed = np.mean([true[i] > boundary for i in inside])
                total += abs(promised - observed) * len(inside) / len(true) / 3
    ours = ORDINAL_METRICS["calibration_error"](np.array(true), table, VALUES)
    assert ours == pytest.approx(total)


def test_certainty_in_the_true_class_is_perfect_under_every_metric():
    true = np.array([0, 1, 2, 3, 3])
    for metric in ORDINAL_METRICS.values():
        predicted = true if isinstance(metric, PointMetric) else np.eye(4)[true]
        assert metric(true, predicted, VALUES) == float(metric.greater_is_better)


def test_kappa_does_not_depend_on_the_values_and_mean_value_distance_does():
    true, predicted = np.array([0, 3, 1]), np.array([3, 3, 1])
    stretched = np.array([0.0, 1.0, 2.0, 40.0])
    qwk, distance = ORDINAL_METRICS["qwk"], ORDINAL_METRICS["mae_value"]
    assert qwk(true, predicted, VALUES) == qwk(true, predicted, stretched)
    assert distance(true, predicted, stretched) == pytest.approx(40 / 3)


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"No metric is called 'qwkk'.*'qwk'"):
        ORDINAL_METRICS.named("qwkk")


def test_a_probability_metric_can_not_drive_cut_points():
    with pytest.raises(ConfigurationError, match=r"'rps' grades probabilities.*qwk, mae_class"):
        get_point_metric("rps")
