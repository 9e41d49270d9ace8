"""What requests and replies look like: pydantic types made from the manifest of a model.

The same type of a case validates requests and stands in the OpenAPI document, so that the two can't
differ. Replies are written by `ResponseWriter`, without a pydantic object per prediction.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, NotRequired, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    NaiveDatetime,
    WithJsonSchema,
    with_config,
)
from typing_extensions import TypedDict

from clientela.column_rules import CellFormat
from clientela.features.columns import InputField
from clientela.registry.manifest import ServedManifest
from clientela.registry.scorers import PredictionBatch

DATA: Final = "data"
# What SageMaker's own clients call the array of cases.
INSTANCES: Final = "instances"

# What the sender calls a case: no model sees it, only the prediction log keeps it, hashed.
ID: Final = "_id"

LONGEST_ID: Final = 128

# the keys of a prediction, for the server that writes them and the client that reads them
CLASS: Final = "clase"
PROBABILITIES: Final = "probabilidades"
CLUSTER_ID: Final = "cluster_id"
CLUSTER_NAME: Final = "cluster_nombre"
IMPUTED: Final = "imputed"
UNSEEN: Final = "unseen"
REASONS: Final = "reasons"

# Up to here, no two whole numbers are the same float, which is what models are fed with.
LARGEST_WHOLE: Final = 2**53 - 1

# The most words that a description lists.
LISTED_WORDS: Final = 30

# What OpenAPI has no word for: date-time demands an offset (RFC 3339).
LOCAL_TIME: Final = "local-date-time"

NUMERIC: Final = ("integer", "decimal", "float")
DATED: Final = ("date", "timestamp")

# The functional form, whose members are known at run time only.
make_typed_dict: Any = TypedDict

Prediction: TypeAlias = dict[str, Any]


def build_case_type(
    fields: Sequence[InputField],
    longest_word: int,
    form: CellFormat,
    name: str = "case",
    example: Any = None,
) -> Any:
    """A TypedDict of one case: required fields required, the others nullable, no further ones."""
    about_id = "What you call the case; only the prediction log keeps it, hashed."
    name_type = Annotated[
        str, Field(strict=True, min_length=1, max_length=LONGEST_ID, description=about_id)
    ]
    members = {field.name: _build_field_type(field, longest_word, form) for field in fields}
    case = make_typed_dict(name, {**members, ID: NotRequired[name_type]})
    examples: dict[str, Any] = {} if example is None else {"examples": [example]}
    return with_config(ConfigDict(extra="forbid", json_schema_extra=examples))(case)


def build_body_type(
    case: Any, names: tuple[str, ...], most: int, name: str = "body", example: Any = None
) -> Any:
    """A TypedDict of a request: an object with one array of cases.

    Args:
        names: What the array may be called; of several, one has to be there, which the type itself
            does not say.
    """
    cases: Any = Annotated[list[case], Field(min_length=1, max_length=most), FailFast()]
    members = dict.fromkeys(names, cases if len(names) == 1 else NotRequired[cases])
    body = make_typed_dict(name, members)
    examples: dict[str, Any] = {} if example is None else {"examples": [{names[0]: [example]}]}
    return with_config(ConfigDict(extra="forbid", json_schema_extra=examples))(body)


def build_reply_type(manifest: ServedManifest) -> Any:
    """A TypedDict of what a model replies, for the OpenAPI document."""
    name = manifest.use_case
    if manifest.task == "segments":
        answer: dict[str, Any] = {CLUSTER_ID: int, CLUSTER_NAME: str}
    else:
        classes = dict.fromkeys(manifest.classes, float)
        answer = {
            CLASS: Literal[manifest.classes],
            manifest.score_name: float,
            PROBABILITIES: make_typed_dict(f"{name}_probabilities", classes),
        }
    flags: dict[str, Any] = {IMPUTED: list[str], UNSEEN: list[str]}
    members = {**answer, **flags, REASONS: NotRequired[list[str]]}
    prediction: Any = make_typed_dict(f"{name}_prediction", members)
    reply = {"model": ModelName, "predictions": list[prediction]}
    return make_typed_dict(f"{name}_reply", reply)


def describe_expectation(field: InputField, longest_word: int, form: CellFormat) -> str:
    """What a value of a field should be, in words."""
    if field.kind == "moment":
        limits = _format_limits(field.earliest, field.latest)
        example = "such as 2024-06-30T10:15:00, without offset"
        if field.type in DATED:
            example = f"written as {' or '.join(form.date_formats)}"
        return f"a local time {example}{limits}"
    if field.kind == "word" and field.type not in NUMERIC:
        if field.allowed is not None:
            return f"one of {', '.join(field.allowed)}"
        return f"a word of 1 to {longest_word} characters"
    noun = "a whole number" if "integer" in {field.kind, field.type} else "a finite number"
    if field.type == "decimal":
        noun = "a number of two decimals at most"
    written = ""
    if field.type is not None and (form.decimal, form.thousands) != (".", ""):
        written = f" (as text 1{form.thousands}234{form.decimal}5)"
    return noun + _format_limits(field.minimum, field.maximum) + written


def _build_field_type(field: InputField, longest_word: int, form: CellFormat) -> Any:
    value: Any
    if field.type is not None:
        value = _build_cell_type(field, longest_word)
    elif field.kind == "number":
        value = Annotated[float, _make_number_limits(field.minimum, field.maximum)]
    elif field.kind == "integer":
        value = _build_integer_type(field)
    elif field.kind == "moment":
        value = _build_moment_type(field)
    else:
        value = _build_word_type(longest_word)
    description = Field(description=_describe_field(field, longest_word, form))
    nullable = field.nullable if field.type is not None else not field.required
    value = Annotated[value | None if nullable else value, description]
    return value if field.required else NotRequired[value]


def _build_cell_type(field: InputField, longest_word: int) -> Any:
    """A column of a table: a value of its type, or its text, which `CellReader` reads."""
    text = Annotated[str, Field(strict=True, max_length=longest_word)]
    if field.kind == "moment":
        return text
    if field.kind == "word" or field.invalid == "set_missing":
        whole: Any = Annotated[int, Field(strict=True)]
        number: Any = whole | Annotated[float, _make_number_limits(None, None)]
    elif field.kind == "integer":
        number = _build_integer_type(field)
    else:
        number = Annotated[float, _make_number_limits(field.minimum, field.maximum)]
    kind = {"integer": "integer", "number": "number"}.get(field.kind, "number")
    limits = {"minimum": field.minimum, "maximum": field.maximum}
    known = {name: limit for name, limit in limits.items() if limit is not None}
    documented = [{"type": kind, **known}, {"type": "string", "maxLength": longest_word}]
    return Annotated[
        number | text,
        Field(union_mode="left_to_right"),
        WithJsonSchema({"anyOf": documented}),
    ]


def _make_number_limits(least: float | None, most: float | None) -> Any:
    return Field(strict=True, allow_inf_nan=False, ge=least, le=most)


def _build_integer_type(field: InputField) -> Any:
    """An integer, or a number such as 12.0; text and booleans are none."""
    least = -LARGEST_WHOLE if field.minimum is None else math.ceil(field.minimum)
    most = LARGEST_WHOLE if field.maximum is None else math.floor(field.maximum)
    integer = Annotated[int, Field(strict=True, ge=least, le=most)]
    decimal = Annotated[float, _make_number_limits(least, most), AfterValidator(_check_integer)]
    # integers come by the first way, in compiled code
    return Annotated[
        integer | decimal,
        Field(union_mode="left_to_right"),
        WithJsonSchema({"type": "integer", "minimum": least, "maximum": most}),
    ]


def _check_integer(value: float) -> float:
    if not value.is_integer():
        raise ValueError("not whole")
    return value


def _build_word_type(longest: int) -> Any:
    """Text, or a number, which is a word where codes are."""
    text = Annotated[str, Field(strict=True, min_length=1, max_length=longest)]
    code = Annotated[int, Field(strict=True, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
    decimal = Annotated[float, _make_number_limits(-LARGEST_WHOLE, LARGEST_WHOLE)]
    documented = [
        {"type": "string", "minLength": 1, "maxLength": longest},
        {"type": "number", "minimum": -LARGEST_WHOLE, "maximum": LARGEST_WHOLE},
    ]
    return Annotated[
        text | code | decimal,
        Field(union_mode="left_to_right"),
        WithJsonSchema({"anyOf": documented}),
    ]


def _build_moment_type(field: InputField) -> Any:
    """Local time in ISO form; numbers would be read as seconds since 1970, which have an offset."""
    earliest = None if field.earliest is None else datetime.combine(field.earliest, time())
    end = None
    if field.latest is not None:
        end = datetime.combine(field.latest, time()) + timedelta(days=1)
    documented = {"type": "string", "format": LOCAL_TIME, "examples": ["2024-06-30T10:15:00"]}
    return Annotated[NaiveDatetime, Field(ge=earliest, lt=end), WithJsonSchema(documented)]


def _describe_field(field: InputField, longest_word: int, form: CellFormat) -> str:
    expected = describe_expectation(field, longest_word, form)
    sentences = [field.description] if field.description else []
    sentences.append(expected[:1].upper() + expected[1:])
    if not field.required or (field.type is not None and field.nullable):
        missing = ": a typical value stands in, and the reply says so"
        if field.missing is not None:
            missing = f": it then counts as {field.missing}"
        may = "May be null" if field.required else "May be left out or null"
        sentences.append(may + (missing if field.read else ""))
    if not field.read:
        sentences.append("This model does not read it: it is checked, and changes no answer")
    if field.seen_minimum is not None or field.seen_maximum is not None:
        limits = _format_limits(field.seen_minimum, field.seen_maximum).strip()
        sentences.append(f"The model learned {limits}; beyond that its answer is a guess")
    if 0 < len(field.words) <= LISTED_WORDS:
        sentences.append(f"The model knows: {', '.join(field.words)}")
    return ". ".join(sentences) + "."


def _format_limits(least: object, most: object) -> str:
    """Limits as people write them: 150, not 150.0."""
    least, most = (
        int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        for limit in (least, most)
    )
    if least is None and most is None:
        return ""
    if most is None:
        return f" from {least}"
    return f" up to {most}" if least is None else f" from {least} to {most}"


class ModelName(TypedDict):
    """Which model answers."""

    use_case: str
    version: str
    role: str


class ProblemDetail(BaseModel):
    """One thing that is wrong with a request.

    Attributes:
        row: Position of the case, from 0; null where no case is at fault.
        field: Of the case; null where no known one is at fault.
        problem: What was expected, and what kind of thing came; never the value.
        reason: What ingestion calls it: `missing_<field>` or `invalid_<field>`; null for others.
    """

    row: int | None
    field: str | None
    problem: str
    reason: str | None = None


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
        score_name: What the expected value is called in a prediction.
        grades: Measure to its grade on the test part.
        fields: What a case brings, in the order of CSV without header; `read` says whether this
            model reads it.
        text: How text of the fields is written that are columns of a table.
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
    text: dict[str, Any]
    example: dict[str, Any]


class ModelList(BaseModel):
    """All models.

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
    """One customer's segment: the columns of the export, `score_<rubro>` among them."""

    model_config = ConfigDict(extra="allow")

    dni: str
    cluster_id: int
    cluster_nombre: str
    rubro_top: str | None
    fecha_modelo: date


class ResponseWriter:
    """Writes the answers of one model as JSON or CSV."""

    def __init__(self, manifest: ServedManifest) -> None:
        self._fields = [field.name for field in manifest.fields]
        self._classes = manifest.classes
        self._segments = manifest.task == "segments"
        self._score = CLUSTER_ID if self._segments else manifest.score_name
        self._label = CLUSTER_NAME if self._segments else CLASS
        self._model = manifest.model_dump(include={"use_case", "version", "role"})

    def json(
        self, answers: PredictionBatch, reasons: Sequence[Sequence[str]] | None = None
    ) -> bytes:
        """The reply to a batch, one prediction per case.

        Args:
            reasons: Of each case; None where they were not asked for.
        """
        predictions = list(self._iter_predictions(answers))
        if reasons is not None:
            for prediction, words in zip(predictions, reasons, strict=True):
                prediction[REASONS] = words
        return orjson.dumps({"model": self._model, "predictions": predictions})

    def csv(self, answers: PredictionBatch, *, header: bool) -> bytes:
        """The reply to a batch, one line per case: class, score, probability of each class.

        Args:
            header: Whether the first line names the columns, as the request's did.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            width = answers.probabilities.shape[1]
            writer.writerow([self._label, self._score, *self._classes[:width]])
        for label, score, row in self._iter_answers(answers):
            writer.writerow([label, score, *row])
        return text.getvalue().encode()

    def _iter_answers(self, answers: PredictionBatch) -> Iterator[tuple[str, Any, list[float]]]:
        expected = answers.expected.astype(np.int64) if self._segments else answers.expected
        labels = [self._classes[code] for code in answers.codes.tolist()]
        return zip(labels, expected.tolist(), answers.probabilities.tolist(), strict=True)

    def _iter_predictions(self, answers: PredictionBatch) -> Iterator[Prediction]:
        label_key, score_key, classes = self._label, self._score, self._classes
        imputed = _iter_flagged_fields(answers.imputed, self._fields)
        unseen = _iter_flagged_fields(answers.unseen, self._fields)
        for (label, score, row), absent, strange in zip(
            self._iter_answers(answers), imputed, unseen, strict=True
        ):
            if self._segments:
                prediction: Prediction = {score_key: score, label_key: label}
            else:
                prediction = {label_key: label, score_key: score}
            if row:
                prediction[PROBABILITIES] = dict(zip(classes, row, strict=True))
            prediction[IMPUTED], prediction[UNSEEN] = absent, strange
            yield prediction


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
