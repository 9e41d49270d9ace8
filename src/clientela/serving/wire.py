"""The form of replies that are the same for every model, as the documentation shows them."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class ProblemShown(BaseModel):
    """One thing that is wrong with a request.

    Attributes:
        row: Position of the case, from 0; null where no case is at fault.
        field: Of the case; null where no known one is at fault.
        problem: What was expected, and what kind of thing came; never the value.
    """

    row: int | None
    field: str | None
    problem: str


class ErrorShown(BaseModel):
    """Why a request is not answered.

    Attributes:
        code: For programs.
        message: For people.
        problems: The first ones.
    """

    code: str
    message: str
    problems: list[ProblemShown]


class RefusalShown(BaseModel):
    """Every reply that is no answer.

    Attributes:
        error: Why.
        request_id: By which the log knows the request.
    """

    error: ErrorShown
    request_id: str


class ModelShown(BaseModel):
    """A model that is served, as far as those may know who may ask it.

    Attributes:
        number: Of the entry in the registry.
        use_case: What it is for.
        role: `champion` or `required`.
        version: Made of its content.
        group: In the registry.
        task: Kind of answer.
        classes: In order.
        target: Class to its number.
        score_name: What the expected value is called in a prediction.
        primary_metric: The measure that chose the model.
        grades: Measure to its grade on the test part.
        fields: What a case brings, in the order of CSV without header; `read` says whether this
            model reads it.
        example: A made-up case with its answer.
    """

    number: int | None
    use_case: str
    role: str
    version: str
    group: str
    task: str
    classes: list[str]
    target: dict[str, float]
    score_name: str
    primary_metric: str | None
    grades: dict[str, dict[str, float | None]]
    fields: list[dict[str, Any]]
    example: dict[str, Any]


class ModelsShown(BaseModel):
    """All of them.

    Attributes:
        default: The use case that `/predict` is about.
        models: By use case.
    """

    default: str
    models: list[ModelShown]


class HealthShown(BaseModel):
    """Whether requests can be answered.

    Attributes:
        status: `ready`, or `empty` while no model is served.
        models: Use case, role and version of each; only for callers who show the token.
        polled_seconds_ago: Since the folder of served models was last read; likewise.
    """

    status: Literal["ready", "empty"]
    models: list[dict[str, Any]] | None = None
    polled_seconds_ago: float | None = None


class SegmentShown(BaseModel):
    """One customer's segment: the columns of the export, `score_<rubro>` among them.

    Attributes:
        dni: The key.
        cluster_id: The segment; -1 without activity.
        cluster_nombre: Its name.
        rubro_top: Rubro of the highest score.
        fecha_modelo: Date of the model.
    """

    model_config = ConfigDict(extra="allow")

    dni: str
    cluster_id: int
    cluster_nombre: str
    rubro_top: str | None
    fecha_modelo: date
