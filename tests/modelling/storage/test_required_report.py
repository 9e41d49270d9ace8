import numpy as np
import pandas as pd

from clientela.models.tasks import Predictions
from clientela.pipelines.training.test_evaluation import (
    collect_required_metrics,
    compute_class_report,
    confusion_table,
)

TRUTH = np.array([0, 0, 1, 2, 3, 3])
SAID = Predictions(np.array([0, 1, 1, 2, 3, 2]), np.full((6, 4), 0.25), np.zeros(6))


def test_the_confusion_table_has_true_classes_as_rows(problem):
    expected = pd.DataFrame(
        {
            "clase_real": ["sin_compra", "baja", "media", "alta"],
            "sin_compra": [1, 0, 0, 0],
            "baja": [1, 1, 0, 0],
            "media": [0, 0, 1, 1],
            "alta": [0, 0, 0, 1],
        }
    )
    pd.testing.assert_frame_equal(confusion_table(TRUTH, SAID, problem), expected)


def test_the_class_report_names_every_class(problem):
    report, text = compute_class_report(TRUTH, SAID, problem)
    assert report["alta"] == {"precision": 1.0, "recall": 0.5, "f1-score": 2 / 3, "support": 2.0}
    assert all(name in text for name in problem.schema.classes)


def test_metrics_stand_with_their_cross_validated_twins():
    choice = {"required": {"qwk": 0.4, "qwk_sd": 0.02}}
    test = {"qwk": {"value": 0.38, "std": 0.03, "lower": 0.3, "upper": 0.44}}
    grades = {"rows": 60, "models": {"required": test}}
    assert collect_required_metrics(choice, grades) == {
        "test_rows": 60,
        "test": test,
        "cross_validation": {"qwk": {"mean": 0.4, "sd": 0.02}},
    }
