"""The manifest of a served model: all that a server, a registry and a person need of it.

Then what it is filled with: classes, grades, an example with its answer.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import pandas as pd
from pydantic import Field

from clientela.column_rules import CellFormat
from clientela.features.columns import InputField
from clientela.features.segment_columns import KEY, SegmentationParams
from clientela.models.problem import TASKS
from clientela.models.segment_model import assign_to_stored_segments, get_identity
from clientela.models.segmentation import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME
from clientela.models.stored_model import StoredModel
from clientela.settings_base import FrozenSettings

# Of the package; one of another format is refused.
FORMAT: Final = 1

SEGMENT_SCORE: Final = "cluster_id"

# The best model that training found, and the one that the requirement names.
Role: TypeAlias = Literal["champion", "required"]

ServedTask: TypeAlias = Literal["binary", "ordinal", "segments"]
JsonValue: TypeAlias = str | int | float | bool | None


class MetricEstimate(FrozenSettings):
    """One measure of the model on the test part.

    Attributes:
        lower: Of its 95 % interval; None where there is none.
        rule: The same measure of the best business rule or constant; None where none was graded.
    """

    value: float
    lower: float | None = None
    upper: float | None = None
    rule: float | None = None


class Example(FrozenSettings):
    """A made-up case of typical values, nobody's, with the answer that the model should give.

    It is what every deployment is tested with before anybody else asks.

    Attributes:
        case: Field to value, as JSON carries it.
        label: The class, or the name of the segment.
        expected: Probability of the positive class, expected class value, or id of the segment.
    """

    case: dict[str, JsonValue]
    label: str
    expected: float


class ServedManifest(FrozenSettings):
    """What a package says of its model.

    Attributes:
        group: Model package group that it is registered in.
        version: Made of the content: the same model has the same one, and no other has.
        fields: What a case brings, in order: the fields of every model of the use case.
        text: How the raw table writes its text; text of a request is read in the same form.
        target: Class to its number; segment name to its id.
        score_name: What the expected value is called (`probabilidad`, `valor_esperado`).
        grades: Measure to its grade on the test part.
        primary_metric: The measure that chose the champion; None for segments.
        model: The manifest of the stored model (`clientela.models.stored_model`): kind,
            features, decision, parameters, seed, training rows and their hash, versions.
        feature_rules: `TabularFeatureParams` as JSON, for a use case on a table: how features are
            made of the fields. None where the fields are the features.
        segment_rules: `SegmentationParams` as JSON, for segments; else None.
        files: Path in the package to the SHA-256 of its content; the manifest is not among them.
    """

    format: Literal[1] = FORMAT
    use_case: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    role: Role
    group: str = Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    task: ServedTask
    problem_type: str
    fields: tuple[InputField, ...] = Field(min_length=1)
    text: CellFormat = CellFormat()
    classes: tuple[str, ...] = Field(min_length=1)
    target: dict[str, float]
    score_name: str
    grades: dict[str, MetricEstimate] = {}
    primary_metric: str | None = None
    example: Example
    labels: dict[str, str] = {}
    model: dict[str, Any]
    feature_rules: dict[str, Any] | None = None
    segment_rules: dict[str, Any] | None = None
    files: dict[str, str]

    @property
    def read(self) -> list[InputField]:
        """The fields that this model reads."""
        return [field for field in self.fields if field.read]


def describe_classifier(model: StoredModel) -> dict[str, Any]:
    """The fields of `ServedManifest` on the answers of a model with classes."""
    manifest = model.manifest
    return {
        "task": manifest["task"],
        "classes": manifest["classes"],
        "target": dict(zip(manifest["classes"], manifest["values"], strict=True)),
        "score_name": TASKS[manifest["task"]].score_column,
        "primary_metric": manifest["primary_metric"],
    }


def describe_segmentation(model: StoredModel) -> dict[str, Any]:
    """The same of a segmentation: its classes are the segments by id, last who is not placed."""
    ids = map_segment_ids(model)
    return {
        "task": "segments",
        "classes": [*ids],
        "target": {name: float(number) for name, number in ids.items()},
        "score_name": SEGMENT_SCORE,
        "primary_metric": None,
    }


def map_segment_ids(model: StoredModel) -> dict[str, int]:
    """The segments of a model.

    Returns:
        Name to id, by id; last who buys too little to be placed.
    """
    names = get_identity(model).names
    return {names[number]: number for number in sorted(names)} | {SIN_ACTIVIDAD_NAME: SIN_ACTIVIDAD}


def build_metric_estimates(
    role: Role, grades: Mapping[str, Any], choice: Mapping[str, Any]
) -> dict[str, MetricEstimate]:
    """The measures of a model on the test part, beside those of the best business rule.

    Returns:
        Measure to its grade; without those that the test part leaves undefined.
    """
    models = grades["models"]
    rule = models.get(choice["best_rule"]["candidate"], {})
    return {
        name: MetricEstimate(
            value=grade["value"],
            lower=_convert_to_finite(grade["lower"]),
            upper=_convert_to_finite(grade["upper"]),
            rule=_convert_to_finite(rule.get(name, {}).get("value")),
        )
        for name, grade in models[role].items()
        if _convert_to_finite(grade["value"]) is not None
    }


def build_segment_metrics(
    evaluation: pd.DataFrame, choice: Mapping[str, Any]
) -> dict[str, MetricEstimate]:
    """How clear and how stable the segments are.

    Returns:
        `silhouette` beside that of columns shuffled one by one (chance), and `stability`.
    """
    rows = evaluation[evaluation["k"] == choice["k"]]
    if rows.empty:
        return {}
    row = rows.iloc[0]
    grades = {
        "silhouette": (row["silhouette"], row["null_silhouette"]),
        "stability": (row["stability"], None),
    }
    return {
        name: MetricEstimate(value=float(value), rule=_convert_to_finite(rule))
        for name, (value, rule) in grades.items()
        if _convert_to_finite(value) is not None
    }


def build_class_example(
    model: StoredModel, case: Mapping[str, JsonValue], features: pd.DataFrame
) -> Example:
    """A typical case with what the model says of it."""
    manifest = model.manifest
    task = TASKS[manifest["task"]]
    prediction = task.predictions(model.estimator, features[model.features], manifest["decision"])
    return Example(
        case=dict(case),
        label=manifest["classes"][int(prediction.codes[0])],
        expected=float(prediction.expected[0]),
    )


def build_segment_example(
    model: StoredModel, case: Mapping[str, JsonValue], params: SegmentationParams
) -> Example:
    """A typical customer with their segment."""
    customer = pd.DataFrame([{KEY: "ejemplo", **case}])
    placed = assign_to_stored_segments(model, customer, None, params)
    number = int(placed["cluster_id"].iloc[0])
    names = {number: name for name, number in map_segment_ids(model).items()}
    return Example(case=dict(case), label=names[number], expected=float(number))


def _convert_to_finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
