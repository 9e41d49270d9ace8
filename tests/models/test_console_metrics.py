import numpy as np
import pytest
from sklearn import metrics

from clientela.models.base import Predictions
from clientela.models.console_metrics import (
    compute_binary_console_metrics,
    compute_ordinal_console_metrics,
)


def binary_report(rows=300, positive_share=0.7):
    rng = np.random.default_rng(rows)
    truth = (rng.random(rows) < positive_share).astype(np.int64)
    positive = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.25, rows), 0, 1)
    codes = (positive >= 0.5).astype(np.int64)
    said = Predictions(codes, np.column_stack([1 - positive, positive]), positive)
    found = compute_binary_console_metrics(truth, said, replicates=200, seed=1)
    return truth, said, found["binary_classification_metrics"]


def test_measures_are_those_of_scikit_learn():
    truth, said, found = binary_report()
    oracle = {
        "recall": metrics.recall_score(truth, said.codes),
        "precision": metrics.precision_score(truth, said.codes),
        "accuracy": metrics.accuracy_score(truth, said.codes),
        "f0_5": metrics.fbeta_score(truth, said.codes, beta=0.5),
        "f1": metrics.f1_score(truth, said.codes),
        "f2": metrics.fbeta_score(truth, said.codes, beta=2),
        "true_positive_rate": metrics.recall_score(truth, said.codes),
        "true_negative_rate": metrics.recall_score(truth, said.codes, pos_label=0),
        "false_positive_rate": 1 - metrics.recall_score(truth, said.codes, pos_label=0),
        "false_negative_rate": 1 - metrics.recall_score(truth, said.codes),
        "auc": metrics.roc_auc_score(truth, said.expected),
    }
    assert {name: found[name]["value"] for name in oracle} == pytest.approx(oracle)
    table = metrics.confusion_matrix(truth, said.codes)
    assert found["confusion_matrix"] == {
        str(i): {str(j): table[i, j] for j in range(2)} for i in range(2)
    }


def test_the_best_constant_classifier_stands_beside_each_measure():
    truth, _, found = binary_report()
    assert found["accuracy_best_constant_classifier"]["value"] == pytest.approx(truth.mean())
    assert found["recall_best_constant_classifier"]["value"] == 1.0


def test_deviations_are_those_of_a_share_and_missing_below_two_hundred_rows():
    _, _, found = binary_report(400)
    p = found["accuracy"]["value"]
    assert found["accuracy"]["standard_deviation"] == pytest.approx(
        (p * (1 - p) / 400) ** 0.5, rel=0.2
    )
    assert binary_report(150)[2]["accuracy"]["standard_deviation"] == "NaN"


def test_curves_run_from_end_to_end_and_stay_small():
    _, _, found = binary_report()
    curve = found["receiver_operating_characteristic_curve"]
    assert (curve["false_positive_rates"][0], curve["true_positive_rates"][-1]) == (0.0, 1.0)
    assert len(curve["false_positive_rates"]) == len(curve["true_positive_rates"]) <= 101
    assert found["precision_recall_curve"]["recalls"][-1] == 0.0


VALUES = np.array([0.0, 1.0, 2.0, 4.0])


def ordinal_report(rows, replicates=100):
    rng = np.random.default_rng(rows)
    truth = rng.choice(4, size=rows, p=[0.5, 0.25, 0.2, 0.05])
    codes = np.where(rng.random(rows) < 0.6, truth, rng.integers(4, size=rows))
    expected = VALUES[codes] + rng.normal(0, 0.3, rows)
    said = Predictions(codes, np.eye(4)[codes], expected)
    found = compute_ordinal_console_metrics(truth, said, VALUES, replicates=replicates, seed=1)
    return truth, said, found


def test_multiclass_measures_are_those_of_scikit_learn():
    truth, said, found = ordinal_report(300)
    multiclass = found["multiclass_classification_metrics"]
    weighted = {"average": "weighted", "zero_division": 0}
    oracle = {
        "accuracy": metrics.accuracy_score(truth, said.codes),
        "weighted_recall": metrics.recall_score(truth, said.codes, **weighted),
        "weighted_precision": metrics.precision_score(truth, said.codes, **weighted),
        "weighted_f0_5": metrics.fbeta_score(truth, said.codes, beta=0.5, **weighted),
        "weighted_f1": metrics.fbeta_score(truth, said.codes, beta=1, **weighted),
        "weighted_f2": metrics.fbeta_score(truth, said.codes, beta=2, **weighted),
    }
    assert {name: multiclass[name]["value"] for name in oracle} == pytest.approx(oracle)
    constant = metrics.fbeta_score(truth, np.zeros_like(truth), beta=1, **weighted)
    best = multiclass["weighted_f1_best_constant_classifier"]["value"]
    assert best == pytest.approx(constant)


def test_regression_measures_are_those_of_scikit_learn():
    truth, said, found = ordinal_report(300)
    regression = {name: entry["value"] for name, entry in found["regression_metrics"].items()}
    y = VALUES[truth]
    mse = metrics.mean_squared_error(y, said.expected)
    assert regression == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(y, said.expected),
            "mse": mse,
            "rmse": mse**0.5,
            "r2": metrics.r2_score(y, said.expected),
        }
    )


def test_the_confusion_matrix_counts_every_row_under_text_keys():
    truth, said, found = ordinal_report(250)
    matrix = found["multiclass_classification_metrics"]["confusion_matrix"]
    oracle = metrics.confusion_matrix(truth, said.codes, labels=range(4))
    assert matrix == {str(i): {str(j): int(oracle[i, j]) for j in range(4)} for i in range(4)}


def test_the_deviation_is_that_of_resampled_rows():
    truth, said, found = ordinal_report(300, replicates=300)
    rng = np.random.default_rng(99)
    hits = [
        (truth[rows] == said.codes[rows]).mean()
        for rows in (rng.integers(300, size=300) for _ in range(300))
    ]
    deviation = found["multiclass_classification_metrics"]["accuracy"]["standard_deviation"]
    assert deviation == pytest.approx(np.std(hits, ddof=1), rel=0.2)


def test_few_rows_have_no_deviation():
    _, _, found = ordinal_report(199)
    entries = [*found["regression_metrics"].values()]
    entries += [
        entry
        for name, entry in found["multiclass_classification_metrics"].items()
        if name != "confusion_matrix"
    ]
    assert {entry["standard_deviation"] for entry in entries} == {"NaN"}


def test_a_constant_truth_explains_nothing():
    truth = np.ones(5, dtype=np.int64)
    said = Predictions(truth, np.eye(4)[truth], np.full(5, 1.5))
    found = compute_ordinal_console_metrics(truth, said, VALUES, replicates=5, seed=0)
    assert found["regression_metrics"]["r2"]["value"] == 0
