import numpy as np
import pandas as pd
import pytest

from clientela.pipelines.training.holdout_evaluation import build_required_reports


@pytest.fixture
def reports(problem):
    classes = problem.schema.classes
    predictions = pd.DataFrame(
        {
            "model": "required",
            "true": [0, 0, 1, 2, 3, 3],
            "predicted": [0, 1, 1, 2, 3, 2],
            "expected": np.zeros(6),
            **{f"p_{label}": 0.25 for label in classes},
        }
    )
    choice = {"required": {"qwk": 0.4, "qwk_sd": 0.02}}
    test = {"qwk": {"value": 0.38, "std": 0.03, "lower": 0.3, "upper": 0.44}}
    metrics = {"rows": 60, "models": {"required": test}}
    return build_required_reports(predictions, choice, metrics, problem)


def test_the_confusion_table_has_true_classes_as_rows(reports):
    expected = pd.DataFrame(
        {
            "clase_real": ["sin_compra", "baja", "media", "alta"],
            "sin_compra": [1, 0, 0, 0],
            "baja": [1, 1, 0, 0],
            "media": [0, 0, 1, 1],
            "alta": [0, 0, 0, 1],
        }
    )
    pd.testing.assert_frame_equal(reports["confusion"], expected)


def test_the_class_report_names_every_class(reports, problem):
    alta = reports["report"]["alta"]
    assert alta == {"precision": 1.0, "recall": 0.5, "f1-score": 2 / 3, "support": 2.0}
    assert all(name in reports["report_text"] for name in problem.schema.classes)


def test_test_metrics_stand_beside_those_of_cross_validation(reports):
    assert reports["metrics"] == {
        "test_rows": 60,
        "test": {"qwk": {"value": 0.38, "std": 0.03, "lower": 0.3, "upper": 0.44}},
        "cross_validation": {"qwk": {"mean": 0.4, "sd": 0.02}},
    }
