import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from clientela.arrays import compute_confusion_matrix
from clientela.models.metrics import PointMetric


@pytest.mark.parametrize("n_classes", [2, 4])
def test_counts_are_those_of_scikit_learn(n_classes):
    true, said = np.random.default_rng(1).integers(n_classes, size=(2, 50))
    counts = compute_confusion_matrix(true, said, n_classes)
    assert (counts == confusion_matrix(true, said, labels=range(n_classes))).all()


def test_classes_that_do_not_occur_have_cells():
    assert compute_confusion_matrix(np.array([0]), np.array([2]), 3).tolist() == [
        [0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
    ]


@pytest.mark.parametrize("scale", [np.array([0.0, 5.0]), np.array([[0.0, 1.0], [9.0, 0.0]])])
def test_a_point_metric_reads_counts_and_what_weighs_mistakes(scale):
    metric = PointMetric("suma", True, lambda counts, weights: (counts * weights).sum())
    counts = compute_confusion_matrix(np.array([0, 1, 1]), np.array([1, 0, 1]), 2)
    assert metric(np.array([0, 1, 1]), np.array([1, 0, 1]), scale) == (counts * scale).sum()
