"""What the requirement wants to know about its own model: metrics, report, confusion matrix."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.metrics import classification_report

from clientela.classification.codes import Codes, class_counts
from clientela.modelling.problem import Problem
from clientela.modelling.selection.test_part import REQUIRED
from clientela.modelling.tasks import Predictions


def required_metrics(choice: Mapping[str, Any], grades: Mapping[str, Any]) -> dict[str, Any]:
    """Every measure of the required model, on the test part and in cross-validation.

    Args:
        choice: See `clientela.modelling.selection.champion.champion_choice`.
        grades: See `clientela.modelling.selection.test_part.holdout_grades`.

    Returns:
        `test`: measure to `value`, `std`, `lower`, `upper`; `cross_validation`: measure to `mean`
        and `sd`.
    """
    row, test = choice["required"], grades["models"][REQUIRED]
    folds = {name: {"mean": row[name], "sd": row[f"{name}_sd"]} for name in test}
    return {"test_rows": grades["rows"], "test": test, "cross_validation": folds}


def class_report(truth: Codes, said: Predictions, problem: Problem) -> tuple[dict[str, Any], str]:
    """Precision, recall and F1 of each class, to compute with and to read.

    Args:
        truth: True codes.
        said: Predictions for the same rows.
        problem: What was learned.

    Returns:
        scikit-learn's classification report as a mapping and as text.
    """
    classes = problem.schema.classes
    asked = {"labels": list(range(len(classes))), "target_names": classes, "zero_division": 0}
    return (
        classification_report(truth, said.codes, output_dict=True, **asked),
        classification_report(truth, said.codes, digits=3, **asked),
    )


def confusion_table(truth: Codes, said: Predictions, problem: Problem) -> pd.DataFrame:
    """One row per true class, one column per predicted class: number of rows.

    Args:
        truth: True codes.
        said: Predictions for the same rows.
        problem: What was learned.

    Returns:
        `clase_real`, then one integer column per class.
    """
    classes = list(problem.schema.classes)
    counts = class_counts(truth, said.codes, len(classes)).astype("int64")
    frame = pd.DataFrame(counts, columns=classes)
    frame.insert(0, "clase_real", classes)
    return frame
