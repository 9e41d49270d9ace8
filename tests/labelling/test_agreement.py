import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from clientela.pipelines.labelling.audit import measure_agreement, measure_stability

CODES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=4, max_size=60)
ORACLES = {
    "accuracy": metrics.accuracy_score,
    "kappa": metrics.cohen_kappa_score,
    "mcc": metrics.matthews_corrcoef,
    "recall_positive": metrics.recall_score,
    "precision_positive": metrics.precision_score,
    "recall_negative": lambda t, p: metrics.recall_score(1 - t, 1 - p),
    "precision_negative": lambda t, p: metrics.precision_score(1 - t, 1 - p),
}


@given(CODES)
def test_every_measure_is_that_of_scikit_learn(pairs):
    truth, labels = np.array(pairs).T
    if min(np.bincount(truth, minlength=2).min(), np.bincount(labels, minlength=2).min()) == 0:
        return  # not defined there
    found = measure_agreement(truth, labels, replicates=100, seed=0)["measures"]
    expected = {name: oracle(truth, labels) for name, oracle in ORACLES.items()}
    assert {name: found[name]["value"] for name in found} == pytest.approx(expected)


def test_the_interval_is_that_of_rows_drawn_anew():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    labels = np.where(rng.random(400) < 0.8, truth, 1 - truth)
    found = measure_agreement(truth, labels, replicates=4000, seed=1)["measures"]["accuracy"]
    drawn = rng.integers(0, 400, (4000, 400))
    slow = (truth[drawn] == labels[drawn]).mean(axis=1)
    assert found["lower"] == pytest.approx(np.quantile(slow, 0.025), abs=0.005)
    assert found["upper"] == pytest.approx(np.quantile(slow, 0.975), abs=0.005)


def test_rows_are_counted_by_truth_and_label():
    found = measure_agreement(
        np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), replicates=100, seed=0
    )
    assert (found["rows"], found["counts"]) == (4, [[1, 1], [0, 2]])


def test_stability_counts_equal_answers_and_takes_none_for_an_answer():
    found = measure_stability(
        [["a", "b", None, None], ["a", "b", None, "a"], ["a", "a", None, "a"]]
    )
    assert found == {"rows": 4, "repeats": 3, "unanimous": 0.5, "pairwise": pytest.approx(8 / 12)}
