"""Asks a served model about a CSV of applicants: the file, who is asked, and the records of it.

The columns of the file are those of the original data. A case that breaks a field is not sent; what
is refused all the same is set aside, and the others are asked about again, so that none is lost.
"""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from string import whitespace
from typing import Any, Final, Protocol, Self
from urllib.parse import quote, urlsplit

from fsspec.core import url_to_fs

from clientela.column_rules import CellFormat
from clientela.exceptions import ConfigurationError, ScoringDataError, ServingError, did_you_mean
from clientela.features.columns import PLAIN, InputField
from clientela.serving.case_reader import CaseReader, RequestLimits
from clientela.serving.routes import DESCRIBE, JSON
from clientela.serving.schemas import CLASS, CLUSTER_NAME, DATA, PROBABILITIES, Prediction

# What stands in a cell without a value where no raw table says it, as pandas reads it.
NOTHING: Final = frozenset({"", "na", "n/a", "nan", "null"})

TOO_LARGE: Final = 413

Case = dict[str, Any]
Record = dict[str, Any]

# The server has the last word on lengths.
LIMITS: Final = RequestLimits(batch=1, word=1_000, problems=100)


@dataclass(frozen=True)
class Applicant:
    """One row of the file.

    Attributes:
        case: Field to value, as JSON carries it (PII).
        key: What its key column says; None without one (PII).
        problem: Why it can't be asked about; empty where it can.
    """

    case: dict[str, Any]
    key: str | None
    problem: str


@dataclass(frozen=True)
class ApplicantFile:
    """The rows of a file.

    Attributes:
        ignored: Columns that the model does not ask for.
    """

    rows: list[Applicant]
    ignored: list[str]


def read_applicants(
    address: str,
    fields: Sequence[InputField],
    key: str | None,
    delimiter: str,
    form: CellFormat = PLAIN,
) -> ApplicantFile:
    """The rows of a file.

    Args:
        address: Of the CSV: local, or with its protocol; UTF-8, else Latin-1.
        form: How the raw table of the model writes its text.

    Returns:
        One applicant per row; what breaks a field is told with the row.

    Raises:
        ScoringDataError: The file is absent, is no CSV, or lacks a column that every case needs.
    """
    fs, path = url_to_fs(address)
    try:
        content: bytes = fs.cat_file(path)
    except FileNotFoundError as err:
        raise ScoringDataError(f"No file lies at {address}. Name the CSV of applicants.") from err
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        cells = [[cell.strip(whitespace) for cell in line] for line in lines if line]
    except csv.Error as err:
        raise ScoringDataError(
            f"{address} can't be read as CSV: line {lines.line_num}: {err}."
        ) from err
    if not cells:
        raise ScoringDataError(
            f"{address} is empty; expected a CSV with a header and one row per applicant."
        )
    header, *rows = cells
    _require_columns(header, fields, key, address)
    reader, known = CaseReader(fields, LIMITS, form=form), {field.name: field for field in fields}
    applicants = [_parse_applicant(line, header, known, key, reader) for line in rows]
    return ApplicantFile(applicants, [name for name in header if name not in {*known, key}])


def _require_columns(
    header: Sequence[str], fields: Sequence[InputField], key: str | None, address: str
) -> None:
    needed = [field.name for field in fields if field.required]
    needed += [] if key is None else [key]
    absent = [name for name in needed if name not in header]
    if absent:
        raise ScoringDataError(
            f"{address} lacks the columns {', '.join(absent)}, which every row needs. "
            f"{did_you_mean(absent[0], header)}"
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ScoringDataError(
            f"{address} has columns of the same name: {', '.join(repeated)}. Rename them."
        )


def _parse_applicant(
    line: Sequence[str],
    header: Sequence[str],
    fields: Mapping[str, InputField],
    key: str | None,
    reader: CaseReader,
) -> Applicant:
    if len(line) != len(header):
        return Applicant({}, None, f"expected {len(header)} values; got {len(line)}")
    row = dict(zip(header, line, strict=True))
    texts: dict[str, Any] = {
        name: cell
        for name, cell in row.items()
        if name in fields and (fields[name].type is not None or cell.casefold() not in NOTHING)
    }
    (case,), problems = reader.read_texts([texts])
    if problems:
        words = "; ".join(f"{problem.field}: {problem.problem}" for problem in problems)
        return Applicant(texts, row.get(key or ""), words)
    # in the order of the file
    values = {
        name: _convert_to_json_value(case[name], text, fields[name])
        for name, text in texts.items()
        if name in case
    }
    return Applicant(values, row.get(key or ""), "")


def _convert_to_json_value(value: Any, text: str, field: InputField) -> Any:
    """As JSON carries it: a whole number without decimals, a table's date as its file writes it."""
    if isinstance(value, date):
        return value.isoformat() if field.type is None else text
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class RejectionError(Exception):
    """The cases are refused for what they are: the same again would be refused again.

    Args:
        problems: Position of a case to what is wrong with it.
    """

    def __init__(self, status: int, message: str, problems: dict[int, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems or {}


class RemoteModel(Protocol):
    """A model that can be asked from here."""

    def fetch_description(self) -> dict[str, Any]:
        """What it asks of each case, and what its answers mean.

        Raises:
            ServingError: It gives no answer, or is none of ours.
        """

    def predictions(self, cases: Sequence[Case]) -> list[Prediction]:
        """What it says of some cases."""


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Attributes:
        problem: Why there is none; empty where there is one.
    """

    prediction: Prediction | None
    problem: str = ""


def predict_in_batches(model: RemoteModel, cases: Sequence[Case], size: int) -> Iterator[Outcome]:
    """What becomes of each case.

    Yields:
        One outcome per case, in order. Where the model gives no answer at all, it is not asked
        about the cases that follow, and each says so.
    """
    for start in range(0, len(cases), size):
        try:
            yield from _predict_batch(model, cases[start : start + size])
        except ServingError as err:
            yield from [Outcome(None, str(err))] * (len(cases) - start)
            return


def _predict_batch(model: RemoteModel, cases: Sequence[Case]) -> list[Outcome]:
    """Cases that are refused are set aside and the others asked again, so that none is lost."""
    try:
        return [Outcome(prediction) for prediction in model.predictions(cases)]
    except RejectionError as refused:
        if len(cases) == 1:
            return [Outcome(None, refused.problems.get(0, refused.message))]
        if refused.status == TOO_LARGE or not refused.problems:
            half = len(cases) // 2
            return [*_predict_batch(model, cases[:half]), *_predict_batch(model, cases[half:])]
        others = [case for row, case in enumerate(cases) if row not in refused.problems]
        answered = iter(_predict_batch(model, others) if others else [])
        return [
            Outcome(None, refused.problems[row]) if row in refused.problems else next(answered)
            for row in range(len(cases))
        ]


@dataclass(frozen=True)
class Event:
    """What a model of two classes is asked about.

    Attributes:
        name: As the records call it, e.g. `fraud`.
        threshold: Least probability that counts as it; None: the model decides.
    """

    name: str
    positive: str
    negative: str
    threshold: float | None

    @classmethod
    def of(cls, about: Mapping[str, Any], name: str | None, threshold: float | None) -> Self | None:
        """The event of a model.

        Raises:
            ConfigurationError: A model of another kind has no event, and no threshold.
        """
        if about["task"] != "binary":
            if name is not None or threshold is not None:
                raise ConfigurationError(
                    f"The model of {about['use_case']} has no two classes (it is "
                    f"{about['task']}): leave --event and --threshold out."
                )
            return None
        classes = sorted(about["classes"], key=about["target"].__getitem__)
        given = name if name is not None else classes[1]
        slug = re.sub(r"\W+", "_", given.casefold()).strip("_")
        if not slug:
            raise ConfigurationError(
                f"An event needs a name of letters or digits; {given!r} has none. "
                f"{did_you_mean(given, ['fraud', classes[1]])}"
            )
        return cls(slug, classes[1], classes[0], threshold)


def build_record(  # noqa: PLR0913, PLR0917 - a record is made of all of them
    applicant: Applicant,
    outcome: Outcome,
    about: Mapping[str, Any],
    event: Event | None,
    key: str | None,
    now: datetime,
) -> Record:
    """One record.

    Returns:
        For two classes `input_data, probability_<event>, is_<event>, target, confidence,
        timestamp`; for others `input_data, target, expected, probabilities, confidence,
        timestamp`; without an answer `input_data, error, timestamp`. A key column comes first.
    """
    answer: Record = {"error": outcome.problem}
    if outcome.prediction is not None and event is not None:
        answer = _build_event_fields(outcome.prediction, event)
    elif outcome.prediction is not None:
        answer = _build_class_fields(outcome.prediction, about["score_name"])
    named = {} if key is None else {key: applicant.key}
    return {**named, "input_data": applicant.case, **answer, "timestamp": now.isoformat()}


def _build_event_fields(prediction: Prediction, event: Event) -> Record:
    probabilities = prediction[PROBABILITIES]
    probability = probabilities[event.positive]
    happens = prediction[CLASS] == event.positive
    if event.threshold is not None:
        happens = probability >= event.threshold
    target = event.positive if happens else event.negative
    return {
        f"probability_{event.name}": probability,
        f"is_{event.name}": happens,
        "target": target,
        "confidence": probabilities[target],
    }


def _build_class_fields(prediction: Prediction, score: str) -> Record:
    probabilities = prediction.get(PROBABILITIES, {})
    target = prediction[CLUSTER_NAME] if CLUSTER_NAME in prediction else prediction[CLASS]
    return {
        "target": target,
        "expected": prediction[score],
        "probabilities": probabilities,
        "confidence": probabilities.get(target),
    }


# Replies after which the same request may succeed (RFC 9110, RFC 6585).
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

ATTEMPTS: Final = 4
SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.5
OK: Final = 200


class ApiModel:
    """The model of a use case.

    Args:
        pause: Seconds before the second attempt; doubled before each further one.
    """

    def __init__(
        self, url: str, use_case: str | None, token: str | None, pause: float = PAUSE_SECONDS
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f"The address of the API should be like http://127.0.0.1:8000; it is {url!r}."
            )
        self._url, self._parts, self._pause = url.rstrip("/"), parts, pause
        self._use_case, self._token = use_case, token
        self._connection: HTTPConnection | None = None

    def fetch_description(self) -> dict[str, Any]:
        """See `clientela.serving.client.RemoteModel`."""
        try:
            if self._use_case is None:
                self._use_case = str(self._request("GET", "/models")["default"])
            return self._request("GET", f"/models/{quote(self._use_case, safe='')}")
        except RejectionError as err:
            raise ServingError(f"{self._url} refuses to be asked: {err.message}") from err

    def predictions(self, cases: Sequence[Case]) -> list[Prediction]:
        """See `clientela.serving.client.RemoteModel`."""
        place = f"/models/{quote(str(self._use_case), safe='')}/predict"
        reply = self._request("POST", place, {DATA: list(cases)})
        predictions: list[Prediction] = reply["predictions"]
        return predictions

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _request(self, method: str, place: str, cases: Any = None) -> dict[str, Any]:
        body = None if cases is None else json.dumps(cases, ensure_ascii=False).encode()
        words = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(self._pause * 2 ** (attempt - 1))
            try:
                status, reply = self._get_response(method, place, body)
            except (OSError, HTTPException) as err:
                self.close()
                words = type(err).__name__
                continue
            if status == OK:
                with suppress(ValueError):
                    content = json.loads(reply)
                    if isinstance(content, dict):
                        return content
                raise ServingError(
                    f"{self._url} answers something else than our API would. Is it one?"
                )
            if status not in PASSING:
                raise parse_error_reply(status, reply)
            words = f"HTTP {status}"
        raise ServingError(
            f"{self._url} gave no answer in {ATTEMPTS} attempts ({words}). Does the API run there "
            "(make api), with an approved model?"
        )

    def _get_response(self, method: str, place: str, body: bytes | None) -> tuple[int, bytes]:
        if self._connection is None:
            kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
            self._connection = kind(str(self._parts.hostname), self._parts.port, timeout=SECONDS)
        headers = {"Content-Type": JSON, "Accept": JSON}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        self._connection.request(method, self._parts.path.rstrip("/") + place, body, headers)
        reply = self._connection.getresponse()
        return reply.status, reply.read()


def parse_error_reply(status: int, reply: bytes | str) -> RejectionError:
    """What a server of ours says when it refuses."""
    try:
        error: Mapping[str, Any] = json.loads(reply)["error"]
        message, problems = str(error["message"]), error["problems"]
    except (ValueError, KeyError, TypeError):
        return RejectionError(status, f"HTTP {status}")
    by_row: dict[int, list[str]] = {}
    for each in problems:
        named = each["problem"] if each["field"] is None else f"{each['field']}: {each['problem']}"
        if each["row"] is not None:
            by_row.setdefault(int(each["row"]), []).append(named)
        else:
            message = f"{message} {named}"
    return RejectionError(status, message, {row: "; ".join(words) for row, words in by_row.items()})


CLIENT_FAULTS: Final = range(400, 500)

Explained = Callable[[str], AbstractContextManager[None]]


class EndpointModel:
    """The model of an endpoint.

    Args:
        explained: Turns what AWS raises while something is done into a `ServingError`.
    """

    def __init__(self, name: str, client: Any, explained: Explained) -> None:
        self._name, self._client, self._explained = name, client, explained

    def fetch_description(self) -> dict[str, Any]:
        """See `clientela.serving.client.RemoteModel`."""
        try:
            description = self._request({}, CustomAttributes=DESCRIBE)
        except RejectionError as err:
            raise self._make_foreign_endpoint_error() from err
        if "fields" not in description:
            raise self._make_foreign_endpoint_error()
        return description

    def predictions(self, cases: Sequence[Case]) -> list[Prediction]:
        """See `clientela.serving.client.RemoteModel`."""
        predictions: list[Prediction] = self._request({DATA: list(cases)})["predictions"]
        return predictions

    def _request(self, content: Any, **more: str) -> dict[str, Any]:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy, and rarely used

        body = json.dumps(content, ensure_ascii=False).encode()
        with self._explained(f"Asking the endpoint {self._name}"):
            try:
                reply = self._client.invoke_endpoint(
                    EndpointName=self._name, Body=body, ContentType=JSON, Accept=JSON, **more
                )
                answer = reply["Body"].read()
            except ClientError as err:
                code = str(err.response["Error"]["Code"])
                # what the container answered, not SageMaker itself; a server of ours in
                # SageMaker's place gives no code but its status
                own = code if code.isdigit() else 0
                status = int(err.response.get("OriginalStatusCode") or own)
                if status in CLIENT_FAULTS:
                    raise parse_error_reply(
                        status, err.response.get("OriginalMessage", "")
                    ) from err
                raise
        try:
            return dict(json.loads(answer))
        except (ValueError, TypeError) as err:
            raise self._make_foreign_endpoint_error() from err

    def _make_foreign_endpoint_error(self) -> ServingError:
        return ServingError(
            f"The endpoint {self._name} does not say which fields it asks for. Expected one that "
            "`clientela deploy` made with our own image; the prebuilt XGBoost container takes "
            "features, not applicants."
        )
