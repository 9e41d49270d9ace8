import numpy as np
import pytest
from sklearn import metrics

from clientela.models.base import Predictions
from clientela.models.console_metrics import compute_binary_console_metrics


def report(rows=300, positive_share=0.7):
    rng = np.random.default_rng(rows)
    truth = (rng.random(rows) < positive_share).astype(np.int64)
    positive = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.25, rows), 0, 1)
    codes = (positive >= 0.5).astype(np.int64)
    said = Predictions(codes, np.column_stack([1 - positive, positive]), positive)
    found = compute_binary_console_metrics(truth, said, replicates=200, seed=1)
    return truth, said, found["binary_classification_metrics"]


def test_measures_are_those_of_scikit_learn():
    truth, said, found = report()
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
    truth, _, found = report()
    assert found["accuracy_best_constant_classifier"]["value"] == pytest.approx(truth.mean())
    assert found["recall_best_constant_classifier"]["value"] == 1.0


def test_deviations_are_those_of_a_share_and_missing_below_two_hundred_rows():
    _, _, found = report(400)
    p = found["accuracy"]["value"]
    assert found["accuracy"]["standard_deviation"] == pytest.approx(
        (p * (1 - p) / 400) ** 0.5, rel=0.2
    )
    assert report(150)[2]["accuracy"]["standard_deviation"] == "NaN"


def test_curves_run_from_end_to_end_and_stay_small():
    _, _, found = report()
    curve = found["receiver_operating_characteristic_curve"]
    assert (curve["false_positive_rates"][0], curve["true_positive_rates"][-1]) == (0.0, 1.0)
    assert len(curve["false_positive_rates"]) == len(curve["true_positive_rates"]) <= 101
    assert found["precision_recall_curve"]["recalls"][-1] == 0.0
