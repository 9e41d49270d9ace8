import numpy as np
import pandas as pd
import pytest

from clientela.models import grading
from clientela.models.binary_metrics import BINARY_METRICS
from clientela.models.grading import bootstrap_binary_metrics, compute_binary_metrics

COSTS = np.array([[0.0, 5.0], [1.0, 0.0]])
GENERATOR = np.random.default_rng(1)
TRUE = GENERATOR.integers(0, 2, size=60)
PROBABILITY = np.round(GENERATOR.random(60), 2)
DECIDED = (PROBABILITY >= 0.5).astype(np.int64)


def test_grade_holds_every_metric_in_order():
    grades = compute_binary_metrics(TRUE, DECIDED, PROBABILITY, COSTS)
    assert list(grades) == list(BINARY_METRICS)
    assert grades["accuracy"] == np.mean(TRUE == DECIDED)
    assert grades["roc_auc"] == BINARY_METRICS["roc_auc"](TRUE, PROBABILITY, COSTS)


@pytest.mark.parametrize("cells", [grading.CELLS_AT_A_TIME, 130, 1])
def test_bootstrap_equals_grading_each_sample_of_rows_however_many_fit_in_memory(
    monkeypatch, cells
):
    monkeypatch.setattr(grading, "CELLS_AT_A_TIME", cells)
    replicates = bootstrap_binary_metrics(TRUE, DECIDED, PROBABILITY, COSTS, replicates=5, seed=3)
    generator = np.random.default_rng(3)
    expected = []
    for _ in range(5):
        rows = generator.integers(60, size=60)
        expected.append(compute_binary_metrics(TRUE[rows], DECIDED[rows], PROBABILITY[rows], COSTS))
    pd.testing.assert_frame_equal(
        replicates.drop(columns="pr_auc_rare"), pd.DataFrame(expected).drop(columns="pr_auc_rare")
    )


def test_the_rare_class_is_the_same_in_every_sample():
    rare = np.array([0] * 31 + [1] * 29)
    replicates = bootstrap_binary_metrics(rare, rare, PROBABILITY, COSTS, replicates=50, seed=3)
    pd.testing.assert_series_equal(
        replicates["pr_auc_rare"], replicates["pr_auc"], check_names=False
    )


def test_two_models_see_the_same_samples_under_one_seed():
    better = np.where(np.arange(60) % 3 == 0, TRUE, DECIDED)
    first = bootstrap_binary_metrics(TRUE, better, PROBABILITY, COSTS, replicates=50, seed=3)
    second = bootstrap_binary_metrics(TRUE, DECIDED, PROBABILITY, COSTS, replicates=50, seed=3)
    assert (first["accuracy"] >= second["accuracy"]).all()
    assert (first["roc_auc"] == second["roc_auc"]).all()


def test_the_bootstrap_deviation_of_accuracy_agrees_with_the_binomial_formula():
    replicates = bootstrap_binary_metrics(
        TRUE, DECIDED, PROBABILITY, COSTS, replicates=4000, seed=3
    )
    share = np.mean(TRUE == DECIDED)
    assert replicates["accuracy"].std() == pytest.approx(
        np.sqrt(share * (1 - share) / 60), rel=0.05
    )


def test_a_sample_with_one_class_has_no_auc_and_the_others_have():
    true, probability = np.array([1, 0, 0, 0]), np.array([0.9, 0.4, 0.3, 0.2])
    replicates = bootstrap_binary_metrics(true, true, probability, COSTS, replicates=40, seed=0)
    assert 0 < replicates["roc_auc"].isna().sum() < 40
    assert replicates["brier"].notna().all()
