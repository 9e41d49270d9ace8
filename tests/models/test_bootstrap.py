import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from clientela.arrays import compute_confusion_matrix
from clientela.models import metrics
from clientela.models.metrics import (
    BINARY_METRICS,
    ORDINAL_METRICS,
    PointMetric,
    bootstrap_metrics,
    compute_metrics,
    summarize_replicates,
)

GENERATOR = np.random.default_rng(1)
COSTS, VALUES = np.array([[0.0, 5.0], [1.0, 0.0]]), np.array([0.0, 1.0, 2.0, 4.0])
TRUE = GENERATOR.integers(0, 2, size=60)
PROBABILITY = np.round(GENERATOR.random(60), 2)
DECIDED = (PROBABILITY >= 0.5).astype(np.int64)
BINARY = (BINARY_METRICS, TRUE, DECIDED, PROBABILITY, COSTS)
ORDINAL = (
    ORDINAL_METRICS,
    np.array([0, 0, 0, 1, 1, 2, 2, 3]),
    np.array([0, 0, 1, 1, 2, 2, 1, 2]),
    GENERATOR.dirichlet(np.ones(4), size=8),
    VALUES,
)


@pytest.mark.parametrize(
    ("graded", "accuracy"), [(BINARY, np.mean(TRUE == DECIDED)), (ORDINAL, 0.5)]
)
def test_grades_hold_every_metric_in_order(graded, accuracy):
    grades = compute_metrics(*graded)
    assert list(grades) == list(graded[0])
    assert grades["accuracy"] == accuracy


@pytest.mark.parametrize("graded", [BINARY, ORDINAL])
@pytest.mark.parametrize("cells", [metrics.CELLS_AT_A_TIME, 130, 1])
def test_bootstrap_equals_grading_each_sample_of_rows_however_many_fit_in_memory(
    monkeypatch, graded, cells
):
    monkeypatch.setattr(metrics, "CELLS_AT_A_TIME", cells)
    measures, true, decided, probability, scale = graded
    replicates = bootstrap_metrics(*graded, replicates=5, seed=3)
    generator = np.random.default_rng(3)
    samples = [generator.integers(len(true), size=len(true)) for _ in range(5)]
    expected = pd.DataFrame(
        [
            compute_metrics(measures, true[rows], decided[rows], probability[rows], scale)
            for rows in samples
        ]
    )
    # which class is the rare one, all samples decide together
    together = expected.columns.drop("pr_auc_rare", errors="ignore")
    pd.testing.assert_frame_equal(replicates[together], expected[together])


def test_the_rare_class_is_the_same_in_every_sample():
    rare = np.array([0] * 31 + [1] * 29)
    replicates = bootstrap_metrics(
        BINARY_METRICS, rare, rare, PROBABILITY, COSTS, replicates=50, seed=3
    )
    pd.testing.assert_series_equal(
        replicates["pr_auc_rare"], replicates["pr_auc"], check_names=False
    )


@pytest.mark.parametrize(
    ("graded", "moved", "unmoved"),
    [(BINARY, "accuracy", "roc_auc"), (ORDINAL, "off_by_one", "rps")],
)
def test_two_models_see_the_same_samples_under_one_seed(graded, moved, unmoved):
    measures, true, decided, probability, scale = graded
    better = np.where(np.arange(len(true)) % 3 == 0, true, decided)
    first = bootstrap_metrics(measures, true, better, probability, scale, replicates=50, seed=3)
    second = bootstrap_metrics(*graded, replicates=50, seed=3)
    assert (first[moved] >= second[moved]).all()
    assert (first[unmoved] == second[unmoved]).all()


def test_the_bootstrap_deviation_of_accuracy_agrees_with_the_binomial_formula():
    replicates = bootstrap_metrics(*BINARY, replicates=4000, seed=3)
    share = np.mean(TRUE == DECIDED)
    assert replicates["accuracy"].std() == pytest.approx(
        np.sqrt(share * (1 - share) / 60), rel=0.05
    )


def test_a_sample_with_one_class_has_no_auc_and_the_others_have():
    true, probability = np.array([1, 0, 0, 0]), np.array([0.9, 0.4, 0.3, 0.2])
    replicates = bootstrap_metrics(
        BINARY_METRICS, true, true, probability, COSTS, replicates=40, seed=0
    )
    assert 0 < replicates["roc_auc"].isna().sum() < 40
    assert replicates["brier"].notna().all()


def test_spread_of_a_share_agrees_with_the_binomial_formula():
    draws = np.random.default_rng(3).binomial(8, 0.5, size=4000) / 8
    row = summarize_replicates(pd.DataFrame({"accuracy": draws})).loc["accuracy"]
    assert row["std"] == pytest.approx(np.sqrt(0.5 * 0.5 / 8), rel=0.05)
    assert row["lower"] == pytest.approx(0.125)
    assert row["upper"] == pytest.approx(0.875)


def test_spread_has_one_row_per_metric():
    replicates = pd.DataFrame({"qwk": [0.1, 0.3], "rps": [0.5, 0.5]})
    frame = summarize_replicates(replicates)
    assert frame.index.tolist() == ["qwk", "rps"]
    assert frame.loc["rps"].tolist() == [0.0, 0.5, 0.5]


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
