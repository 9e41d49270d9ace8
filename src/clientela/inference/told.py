"""What a package tells of its model beside the model: grades, an example, words."""

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from clientela.inference.manifest import Example, Grade, JsonValue, Role
from clientela.modelling.problem import TASKS
from clientela.modelling.storage.stored_model import StoredModel
from clientela.segments.assignment import KEY
from clientela.segments.identity import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME
from clientela.segments.params import SegmentationParams
from clientela.segments.stored import identity_of, placed_customers

SEGMENT_SCORE: Final = "cluster_id"


def told_of_classes(model: StoredModel) -> dict[str, Any]:
    """What a package tells of the answers of a model with classes.

    Args:
        model: Fitted.

    Returns:
        `task`, `classes`, `target`, `score_name` and `primary_metric` of `ServedManifest`.
    """
    manifest = model.manifest
    return {
        "task": manifest["task"],
        "classes": manifest["classes"],
        "target": dict(zip(manifest["classes"], manifest["values"], strict=True)),
        "score_name": TASKS[manifest["task"]].score_column,
        "primary_metric": manifest["primary_metric"],
    }


def told_of_segments(model: StoredModel) -> dict[str, Any]:
    """What a package tells of the answers of a segmentation.

    Args:
        model: Fitted.

    Returns:
        As `told_of_classes`; the classes are the segments by id, and last who is not placed.
    """
    ids = segment_ids(model)
    return {
        "task": "segments",
        "classes": [*ids],
        "target": {name: float(number) for name, number in ids.items()},
        "score_name": SEGMENT_SCORE,
        "primary_metric": None,
    }


def segment_ids(model: StoredModel) -> dict[str, int]:
    """The segments of a model.

    Args:
        model: A stored segmentation.

    Returns:
        Name to id, by id; last who buys too little to be placed.
    """
    names = identity_of(model).names
    return {names[number]: number for number in sorted(names)} | {SIN_ACTIVIDAD_NAME: SIN_ACTIVIDAD}


def grades_of(role: Role, grades: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Grade]:
    """The measures of a model on the test part, beside those of the best business rule.

    Args:
        role: Which model.
        grades: See `clientela.modelling.selection.test_part.holdout_grades`.
        choice: See `clientela.modelling.selection.champion.champion_choice`.

    Returns:
        Measure to its grade; without those that the test part leaves undefined.
    """
    models = grades["models"]
    rule = models.get(choice["best_rule"]["candidate"], {})
    return {
        name: Grade(
            value=found["value"],
            lower=_finite(found["lower"]),
            upper=_finite(found["upper"]),
            rule=_finite(rule.get(name, {}).get("value")),
        )
        for name, found in models[role].items()
        if _finite(found["value"]) is not None
    }


def segment_grades(evaluation: pd.DataFrame, choice: Mapping[str, Any]) -> dict[str, Grade]:
    """How clear and how stable the segments are.

    Args:
        evaluation: See `clientela.segments.evaluation.k_evaluation`.
        choice: See `clientela.segments.choice.k_choice`.

    Returns:
        `silhouette` beside that of columns shuffled one by one (chance), and `stability`.
    """
    rows = evaluation[evaluation["k"] == choice["k"]]
    if rows.empty:
        return {}
    row = rows.iloc[0]
    found = {
        "silhouette": (row["silhouette"], row["null_silhouette"]),
        "stability": (row["stability"], None),
    }
    return {
        name: Grade(value=float(value), rule=_finite(rule))
        for name, (value, rule) in found.items()
        if _finite(value) is not None
    }


def class_example(
    model: StoredModel, case: Mapping[str, JsonValue], features: pd.DataFrame
) -> Example:
    """A typical case with what the model says of it.

    Args:
        model: Fitted.
        case: Field to value.
        features: Its features, one row.

    Returns:
        The example.
    """
    manifest = model.manifest
    task = TASKS[manifest["task"]]
    said = task.predictions(model.estimator, features[model.features], manifest["decision"])
    return Example(
        case=dict(case),
        label=manifest["classes"][int(said.codes[0])],
        expected=float(said.expected[0]),
    )


def segment_example(
    model: StoredModel, case: Mapping[str, JsonValue], params: SegmentationParams
) -> Example:
    """A typical customer with their segment.

    Args:
        model: A stored segmentation.
        case: Field to value.
        params: Minimum activity.

    Returns:
        The example.
    """
    customer = pd.DataFrame([{KEY: "ejemplo", **case}])
    placed = placed_customers(model, customer, None, params)
    number = int(placed["cluster_id"].iloc[0])
    names = {number: name for name, number in segment_ids(model).items()}
    return Example(case=dict(case), label=names[number], expected=float(number))


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
