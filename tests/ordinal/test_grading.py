import numpy as np
import pandas as pd

from clientela.models.base import PointMetric
from clientela.models.grading import bootstrap_ordinal_metrics, compute_ordinal_metrics
from clientela.models.ordinal_metrics import ORDINAL_METRICS

VALUES = np.array([0.0, 1.0, 2.0, 4.0])
TRUE = np.array([0, 0, 0, 1, 1, 2, 2, 3])
PREDICTED = np.array([0, 0, 1, 1, 2, 2, 1, 2])
PROBABILITIES = np.random.default_rng(1).dirichlet(np.ones(4), size=8)


def test_grade_holds_every_metric_in_order():
    grades = compute_ordinal_metrics(TRUE, PREDICTED, PROBABILITIES, VALUES)
    assert list(grades) == list(ORDINAL_METRICS)
    assert grades["accuracy"] == 0.5
    assert grades["mae_class"] == 0.5


def test_bootstrap_equals_grading_each_sample_of_rows():
    replicates = bootstrap_ordinal_metrics(
        TRUE, PREDICTED, PROBABILITIES, VALUES, replicates=5, seed=3
    )
    generator = np.random.default_rng(3)
    expected = []
    for _ in range(5):
        rows = generator.integers(8, size=8)
        expected.append(
            compute_ordinal_metrics(TRUE[rows], PREDICTED[rows], PROBABILITIES[rows], VALUES)
        )
    pd.testing.assert_frame_equal(replicates, pd.DataFrame(expected))


def test_two_models_see_the_same_samples_under_one_seed():
    better = np.clip(PREDICTED, TRUE - 1, TRUE + 1)
    first = bootstrap_ordinal_metrics(TRUE, better, PROBABILITIES, VALUES, replicates=50, seed=3)
    second = bootstrap_ordinal_metrics(
        TRUE, PREDICTED, PROBABILITIES, VALUES, replicates=50, seed=3
    )
    assert (first["off_by_one"] >= second["off_by_one"]).all()
    assert (first["rps"] == second["rps"]).all()


def test_every_metric_in_the_registry_is_of_one_of_two_kinds():
    assert sum(isinstance(metric, PointMetric) for metric in ORDINAL_METRICS.values()) == 6
