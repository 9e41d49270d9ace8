import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as skm

from clientela.exceptions import ConfigurationError
from clientela.models.metrics import BINARY_METRICS, PointMetric

COSTS = np.array([[-1.0, 10.0], [3.0, -2.0]])

codes = st.integers(0, 1)
decided = st.lists(st.tuples(codes, codes), min_size=2, max_size=40).map(np.array)
believed = (
    st.lists(st.tuples(codes, st.integers(0, 20)), min_size=2, max_size=40)
    .map(np.array)
    .filter(lambda rows: len(np.unique(rows[:, 0])) == 2)
)


def slow_cost(true, predicted):
    return np.mean([COSTS[t, p] for t, p in zip(true, predicted, strict=True)])


def slow_balanced(true, predicted):
    hits = [
        np.mean(predicted[true == code] == code) if (true == code).any() else 0 for code in (0, 1)
    ]
    return sum(hits) / 2


POINT_ORACLES = {
    "accuracy": skm.accuracy_score,
    "precision": lambda t, p: skm.precision_score(t, p, zero_division=0),
    "recall": lambda t, p: skm.recall_score(t, p, zero_division=0),
    "f1": lambda t, p: skm.f1_score(t, p, zero_division=0),
    "specificity": lambda t, p: skm.recall_score(t, p, pos_label=0, zero_division=0),
    "balanced_accuracy": slow_balanced,
    "mcc": lambda t, p: 0 if len(np.unique([t, p])) == 1 else skm.matthews_corrcoef(t, p),
    "expected_cost": slow_cost,
    "saving_over_all_positive": lambda t, p: slow_cost(t, t * 0 + 1) - slow_cost(t, p),
    "saving_over_all_negative": lambda t, p: slow_cost(t, t * 0) - slow_cost(t, p),
}


@pytest.mark.parametrize("name", POINT_ORACLES)
@given(rows=decided)
def test_measures_of_classes_equal_their_oracle(name, rows):
    true, predicted = rows.T
    expected = POINT_ORACLES[name](true, predicted)
    assert BINARY_METRICS[name](true, predicted, COSTS) == pytest.approx(expected, abs=1e-12)


def slow_auc(true, probability):
    pairs = [(one, zero) for one in probability[true == 1] for zero in probability[true == 0]]
    return np.mean([(one > zero) + 0.5 * (one == zero) for one, zero in pairs])


def slow_calibration_error(true, probability):
    bins = np.minimum((probability * 10).astype(int), 9)
    return sum(abs((probability - true)[bins == b].sum()) for b in range(10)) / len(true)


def rarer_class(true, probability):
    if true.mean() <= 0.5:
        return skm.average_precision_score(true, probability)
    return skm.average_precision_score(1 - true, 1 - probability)


def slow_ks(true, probability):
    """The largest difference of the two empirical distributions, point by point."""
    positive, negative = probability[true == 1], probability[true == 0]
    return max(abs((positive <= at).mean() - (negative <= at).mean()) for at in probability)


PROBABILITY_ORACLES = {
    "roc_auc": slow_auc,
    "gini": lambda t, p: 2 * skm.roc_auc_score(t, p) - 1,
    "ks": slow_ks,
    "pr_auc": skm.average_precision_score,
    "pr_auc_rare": rarer_class,
    "brier": skm.brier_score_loss,
    "brier_skill": lambda t, p: 1 - skm.brier_score_loss(t, p) / (t.mean() * (1 - t.mean())),
    "log_loss": lambda t, p: skm.log_loss(t, p, labels=[0, 1]),
    "calibration_error": slow_calibration_error,
}


@pytest.mark.parametrize("name", PROBABILITY_ORACLES)
@given(rows=believed)
def test_measures_of_probabilities_equal_their_oracle(name, rows):
    true, probability = rows[:, 0], rows[:, 1] / 20
    expected = PROBABILITY_ORACLES[name](true, probability)
    assert BINARY_METRICS[name](true, probability, COSTS) == pytest.approx(expected, abs=1e-9)


def test_every_measure_has_an_oracle():
    assert list(BINARY_METRICS) == [*POINT_ORACLES, *PROBABILITY_ORACLES]


@given(rows=believed, seed=st.integers(0, 9))
def test_the_order_of_rows_changes_nothing(rows, seed):
    mixed = np.random.default_rng(seed).permutation(rows)
    for metric in BINARY_METRICS.values():
        of = [
            (r[:, 0], r[:, 1] // 11 if isinstance(metric, PointMetric) else r[:, 1] / 20)
            for r in (rows, mixed)
        ]
        assert metric(*of[0], COSTS) == metric(*of[1], COSTS)


@pytest.mark.parametrize("name", ["roc_auc", "ks", "brier_skill", "pr_auc"])
def test_a_comparison_of_classes_is_missing_where_there_is_one_class(name):
    assert np.isnan(BINARY_METRICS[name](np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3]), COSTS))


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"No metric is called 'rocauc'.*'roc_auc'"):
        BINARY_METRICS.named("rocauc")
