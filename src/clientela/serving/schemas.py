"""The fields of a manifest as a schema, by which requests are both checked and documented."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from clientela.features.columns import InputField
from clientela.registry.manifest import ServedManifest
from clientela.registry.scorers import PredictionBatch

# The fields of a manifest as a schema, by which requests are both checked and documented.


LARGEST_WHOLE: Final = 2**53 - 1
"""Up to here, no two whole numbers are the same float, which is what models are fed with."""

LISTED_WORDS: Final = 30
"""The most words that a description lists."""

JsonSchema: TypeAlias = dict[str, Any]


LOCAL_TIME: Final = "local-date-time"
"""What OpenAPI has no word for: date-time demands an offset (RFC 3339)."""

ID: Final = "_id"
"""What the sender calls a case: no model sees it, only the prediction log keeps it, hashed."""

LONGEST_ID: Final = 128


def build_case_schema(fields: Sequence[InputField], longest_word: int) -> CoreSchema:
    """One case as a JSON object: required fields required, the others nullable, no further ones.

    Returns:
        A schema of pydantic-core; it gives a dict of the fields that came, maybe with an `_id`.
    """
    members = {field.name: _build_field_schema(field, longest_word) for field in fields}
    name = core_schema.str_schema(strict=True, min_length=1, max_length=LONGEST_ID)
    told = {"description": "What you call the case; only the prediction log keeps it, hashed."}
    members[ID] = core_schema.typed_dict_field(
        name, required=False, metadata={"pydantic_js_updates": told}
    )
    return core_schema.typed_dict_schema(members, extra_behavior="forbid")


def build_json_schema(schema: CoreSchema) -> JsonSchemaValue:
    """The same schema as OpenAPI documents it."""
    return GenerateJsonSchema().generate(schema)


def describe_expectation(field: InputField, longest_word: int) -> str:
    """What a value of a field should be, in words."""
    if field.kind == "word":
        return f"a word of 1 to {longest_word} characters"
    if field.kind == "moment":
        when = _format_field_limits(field.earliest, field.latest)
        return f"a local time such as 2024-06-30T10:15:00, without offset{when}"
    noun = "a whole number" if field.kind == "integer" else "a finite number"
    return noun + _format_field_limits(_format_limit(field.minimum), _format_limit(field.maximum))


def _build_field_schema(field: InputField, longest_word: int) -> core_schema.TypedDictField:
    kinds = {
        "number": _build_number_schema,
        "integer": _build_integer_schema,
        "moment": _build_moment_schema,
    }
    value = _build_word_schema(longest_word) if field.kind == "word" else kinds[field.kind](field)
    schema = value if field.required else core_schema.nullable_schema(value)
    told = {"description": _describe_field(field, longest_word)}
    return core_schema.typed_dict_field(
        schema, required=field.required, metadata={"pydantic_js_updates": told}
    )


def _build_number_schema(field: InputField) -> CoreSchema:
    return core_schema.float_schema(
        strict=True, allow_inf_nan=False, ge=field.minimum, le=field.maximum
    )


def _build_integer_schema(field: InputField) -> CoreSchema:
    """An integer, or a number such as 12.0; text and booleans are none."""
    least = -LARGEST_WHOLE if field.minimum is None else math.ceil(field.minimum)
    most = LARGEST_WHOLE if field.maximum is None else math.floor(field.maximum)
    integer = core_schema.int_schema(strict=True, ge=least, le=most)
    decimal = core_schema.float_schema(strict=True, allow_inf_nan=False, ge=least, le=most)
    # integers come by the first way, in compiled code
    rounded = core_schema.no_info_after_validator_function(_check_integer, decimal)
    documented: JsonSchema = {"type": "integer", "minimum": least, "maximum": most}
    return core_schema.union_schema(
        [integer, rounded], mode="left_to_right", metadata=_replace_json_schema(documented)
    )


def _check_integer(value: float) -> float:
    if not value.is_integer():
        raise PydanticCustomError("whole", "not whole")
    return value


def _build_word_schema(longest: int) -> CoreSchema:
    text = core_schema.str_schema(strict=True, min_length=1, max_length=longest)
    code = core_schema.int_schema(strict=True, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)
    decimal = core_schema.float_schema(
        strict=True, allow_inf_nan=False, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE
    )
    documented: JsonSchema = {
        "anyOf": [
            {"type": "string", "minLength": 1, "maxLength": longest},
            {"type": "number", "minimum": -LARGEST_WHOLE, "maximum": LARGEST_WHOLE},
        ]
    }
    return core_schema.union_schema(
        [text, code, decimal],
        mode="left_to_right",
        metadata=_replace_json_schema(documented),
    )


def _build_moment_schema(field: InputField) -> CoreSchema:
    """Local time in ISO form; numbers would be read as seconds since 1970, which have an offset."""
    earliest = None if field.earliest is None else datetime.combine(field.earliest, time())
    end = None if field.latest is None else datetime.combine(field.latest, time())
    documented = {"type": "string", "format": LOCAL_TIME, "examples": ["2024-06-30T10:15:00"]}
    return core_schema.datetime_schema(
        tz_constraint="naive",
        ge=earliest,
        lt=None if end is None else end + timedelta(days=1),
        metadata=_replace_json_schema(documented),
    )


def _replace_json_schema(documented: JsonSchema) -> dict[str, Any]:
    """Has a schema documented as what it takes, not as how it is checked."""
    return {"pydantic_js_functions": [lambda _schema, _handler: dict(documented)]}


def _describe_field(field: InputField, longest_word: int) -> str:
    told = [field.description] if field.description else []
    expected = describe_expectation(field, longest_word)
    told.append(expected[:1].upper() + expected[1:])
    if not field.required:
        told.append("May be left out or null" + _describe_missing_value(field) * field.read)
    if not field.read:
        told.append("This model does not read it: it is checked, and changes no answer")
    if field.seen_minimum is not None or field.seen_maximum is not None:
        seen = _format_field_limits(
            _format_limit(field.seen_minimum), _format_limit(field.seen_maximum)
        ).strip()
        told.append(f"The model learned {seen}; beyond that its answer is a guess")
    if 0 < len(field.words) <= LISTED_WORDS:
        told.append(f"The model knows: {', '.join(field.words)}")
    return ". ".join(told) + "."


def _describe_missing_value(field: InputField) -> str:
    if field.missing is not None:
        return f": it then counts as {field.missing}"
    return ": a typical value stands in, and the reply says so"


def _format_field_limits(least: object, most: object) -> str:
    if least is None and most is None:
        return ""
    if most is None:
        return f" from {least}"
    return f" up to {most}" if least is None else f" from {least} to {most}"


def _format_limit(limit: float | None) -> str | None:
    """A limit as people write it: 150, not 150.0."""
    if limit is None:
        return None
    return str(int(limit)) if limit.is_integer() else str(limit)


# The form of replies that are the same for every model, as the documentation shows them.


class ProblemDetail(BaseModel):
    """One thing that is wrong with a request.

    Attributes:
        row: Position of the case, from 0; null where no case is at fault.
        field: Of the case; null where no known one is at fault.
        problem: What was expected, and what kind of thing came; never the value.
    """

    row: int | None
    field: str | None
    problem: str


class ErrorDetail(BaseModel):
    """Why a request is not answered."""

    code: str
    message: str
    problems: list[ProblemDetail]


class ErrorResponse(BaseModel):
    """Every reply that is no answer.

    Attributes:
        request_id: By which the log knows the request.
    """

    error: ErrorDetail
    request_id: str


class ModelDescription(BaseModel):
    """A model that is served, as far as those may know who may ask it.

    Attributes:
        number: Of the entry in the registry.
        use_case: What it is for.
        version: Made of its content.
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


class ModelList(BaseModel):
    """All of them.

    Attributes:
        default: The use case that `/predict` is about.
    """

    default: str
    models: list[ModelDescription]


class HealthStatus(BaseModel):
    """Whether requests can be answered.

    Attributes:
        status: `ready`, or `empty` while no model is served.
        models: Use case, role and version of each; only for callers who show the token.
        polled_seconds_ago: Since the folder of served models was last read; likewise.
    """

    status: Literal["ready", "empty"]
    models: list[dict[str, Any]] | None = None
    polled_seconds_ago: float | None = None


class CustomerSegment(BaseModel):
    """One customer's segment: the columns of the export, `score_<rubro>` among them.

    Attributes:
        cluster_id: The segment; -1 without activity.
        rubro_top: Rubro of the highest score.
        fecha_modelo: Date of the model.
    """

    model_config = ConfigDict(extra="allow")

    dni: str
    cluster_id: int
    cluster_nombre: str
    rubro_top: str | None
    fecha_modelo: date


# What a model says, as the JSON or CSV that a caller reads.


Prediction: TypeAlias = dict[str, Any]


class ResponseWriter:
    """Writes the answers of one model."""

    def __init__(self, manifest: ServedManifest) -> None:
        self._fields = [field.name for field in manifest.fields]
        self._classes = manifest.classes
        self._segments = manifest.task == "segments"
        self._score = "cluster_id" if self._segments else manifest.score_name
        self._label = "cluster_nombre" if self._segments else "clase"
        self._model = {
            "use_case": manifest.use_case,
            "version": manifest.version,
            "role": manifest.role,
        }

    def json(
        self, answers: PredictionBatch, reasons: Sequence[Sequence[str]] | None = None
    ) -> bytes:
        """The reply to a batch.

        Args:
            reasons: Of each case; None where they were not asked for.
        """
        return orjson.dumps(
            {"model": self._model, "predictions": self.predictions(answers, reasons)}
        )

    def predictions(
        self, answers: PredictionBatch, reasons: Sequence[Sequence[str]] | None = None
    ) -> list[Prediction]:
        """One prediction per case.

        Args:
            reasons: Of each case; None where they were not asked for.
        """
        classes, label, score = self._classes, self._label, self._score
        codes, values = answers.codes.tolist(), self._convert_scores(answers)
        imputed = _iter_flagged_fields(answers.imputed, self._fields)
        unseen = _iter_flagged_fields(answers.unseen, self._fields)
        predictions: list[Prediction]
        if answers.probabilities.shape[1]:
            rows = answers.probabilities.tolist()
            predictions = [
                {
                    label: classes[code],
                    score: value,
                    "probabilidades": dict(zip(classes, row, strict=True)),
                    "imputed": absent,
                    "unseen": strange,
                }
                for code, value, row, absent, strange in zip(
                    codes, values, rows, imputed, unseen, strict=True
                )
            ]
        else:
            predictions = [
                {score: value, label: classes[code], "imputed": absent, "unseen": strange}
                for code, value, absent, strange in zip(codes, values, imputed, unseen, strict=True)
            ]
        if reasons is not None:
            for prediction, words in zip(predictions, reasons, strict=True):
                prediction["reasons"] = words
        return predictions

    def csv(self, answers: PredictionBatch, *, header: bool) -> bytes:
        """The reply to a batch, one line per case: class, score, probability of each class.

        Args:
            header: Whether the first line names the columns, as the request's did.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        width = answers.probabilities.shape[1]
        if header:
            writer.writerow([self._label, self._score, *self._classes[:width]])
        for code, value, row in zip(
            answers.codes.tolist(),
            self._convert_scores(answers),
            answers.probabilities.tolist(),
            strict=True,
        ):
            writer.writerow([self._classes[code], value, *row])
        return text.getvalue().encode()

    def _convert_scores(self, answers: PredictionBatch) -> list[Any]:
        values = answers.expected
        scores: list[Any] = (values.astype(np.int64) if self._segments else values).tolist()
        return scores


def _iter_flagged_fields(flags: NDArray[np.bool_], fields: Sequence[str]) -> Iterator[list[str]]:
    """The fields that are flagged, case by case; most cases share the few lists that there are."""
    known: dict[bytes, list[str]] = {}
    width = flags.shape[1]
    packed = np.ascontiguousarray(flags).tobytes()
    for start in range(0, len(packed), width):
        key = packed[start : start + width]
        names = known.get(key)
        if names is None:
            names = known[key] = [name for name, on in zip(fields, key, strict=True) if on]
        yield names
