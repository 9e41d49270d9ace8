"""`clientela invoke` asks a served model about a CSV; `create-sample` makes one from JSON."""

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

import click
from fsspec.core import url_to_fs

from clientela.aws_clients import convert_aws_errors
from clientela.cli.environment import Account, Environment
from clientela.cli.main import with_environment
from clientela.column_rules import CellFormat, IntakeRules
from clientela.exceptions import ConfigurationError, ScoringDataError, ServingError, did_you_mean
from clientela.features.columns import InputField
from clientela.features.table_settings import TabularFeatureParams
from clientela.progress import iter_with_progress
from clientela.serving.client import (
    ApiModel,
    Applicant,
    Case,
    EndpointModel,
    Event,
    Outcome,
    Record,
    RemoteModel,
    build_record,
    predict_in_batches,
    read_applicants,
)
from clientela.serving.schemas import ID, LONGEST_ID
from clientela.serving.settings import get_variable_name
from clientela.storage import write_file_atomically

URL = "http://127.0.0.1:8000"
RUNTIME = "sagemaker-runtime"
SHOWN = 10
# Exit code where a row has no answer; the records are written all the same.
NOT_ALL = 1

USE_CASE = "credit_preauth"
# Under which a record of `clientela invoke` holds what was asked about.
INPUT_DATA = "input_data"

EXAMPLE = '[{"Age": 35, …}, …], one such record, or the results of clientela invoke'


@click.command()
@click.option("--input", "address", required=True, help="CSV of applicants, local or s3://.")
@click.option("--use-case", default=None, help="Whose model; default: the API's own default.")
@click.option("--url", default=URL, show_default=True, help="Of the API.")
@click.option("--endpoint", default=None, help="SageMaker endpoint to ask instead of the API.")
@click.option("--output", default=None, help="Folder; default: the root of model output.")
@click.option("--event", default=None, help="What the positive class is called, e.g. fraud.")
@click.option(
    "--threshold",
    default=None,
    type=click.FloatRange(0, 1),
    help="Least probability of the event; default: the model decides.",
)
@click.option("--key", default=None, help="Column that names each row; kept in the records.")
@click.option("--delimiter", default=",", show_default=True, help="Between the cells of the CSV.")
@click.option(
    "--batch", default=500, type=click.IntRange(1, 5000), show_default=True, help="Rows at a time."
)
@with_environment
def invoke(  # noqa: PLR0913 - one argument for each option
    environment: Environment,
    *,
    address: str,
    use_case: str | None,
    url: str,
    endpoint: str | None,
    output: str | None,
    event: str | None,
    threshold: float | None,
    key: str | None,
    delimiter: str,
    batch: int,
) -> None:
    """Ask a served model about each row of a CSV, and write a record for each.

    The token of the API is taken from CLIENTELA_API_TOKEN.
    """
    with _open_model(environment, url, use_case, endpoint) as model:
        about = model.fetch_description()
        fields = [InputField.model_validate(field) for field in about["fields"]]
        event_name = event or environment.deployment(about["use_case"]).event
        positive = Event.of(about, event_name, threshold)
        form = CellFormat.model_validate(about.get("text", {}))
        applicants = read_applicants(address, fields, key, delimiter, form)
        if applicants.ignored:
            click.echo(f"Columns that the model does not ask for: {', '.join(applicants.ignored)}")
        outcomes = _iter_outcomes(model, applicants.rows, batch)
        pairs = zip(applicants.rows, outcomes, strict=True)
        rows = iter_with_progress(pairs, len(applicants.rows), "asked")
        records = [
            build_record(applicant, outcome, about, positive, key, _get_local_time())
            for applicant, outcome in rows
        ]
    folder = output or environment.place(str(environment.globals["model_output"]))
    place = (
        f"{folder.rstrip('/')}/results/inference_results{_get_local_time():%Y%m%dT%H%M%S%f}.json"
    )
    text = json.dumps(records, ensure_ascii=False, indent=2, allow_nan=False)
    write_file_atomically(place, text.encode())
    _report_records(about, records, place)


@contextmanager
def _open_model(
    environment: Environment, url: str, use_case: str | None, endpoint: str | None
) -> Iterator[RemoteModel]:
    if endpoint is None:
        with closing(ApiModel(url, use_case, os.environ.get(get_variable_name("token")))) as model:
            yield model
        return
    with closing(Account.of(environment).clients(RUNTIME)) as client:
        convert_errors = partial(convert_aws_errors, service=RUNTIME, error=ServingError)
        yield EndpointModel(endpoint, client, convert_errors)


def _iter_outcomes(model: RemoteModel, rows: Sequence[Applicant], size: int) -> Iterator[Outcome]:
    """One per row: those that break a field are not sent."""
    cases: list[Case] = [
        {**row.case, ID: row.key[:LONGEST_ID]} if row.key else row.case
        for row in rows
        if not row.problem
    ]
    sent = predict_in_batches(model, cases, size)
    for row in rows:
        yield Outcome(None, row.problem) if row.problem else next(sent)


def _get_local_time() -> datetime:
    """Local time, as records have it."""
    return datetime.now(UTC).astimezone().replace(tzinfo=None)


def _report_records(about: dict[str, Any], records: Sequence[Record], place: str) -> None:
    """What was written; ends with an exit code of its own where a row has no answer."""
    problems = [(row, each["error"]) for row, each in enumerate(records) if "error" in each]
    who = f"{about['use_case']} {about['role']} {about['version']}"
    click.echo(f"{len(records) - len(problems)} of {len(records)} rows answered by {who}: {place}")
    if not problems:
        return
    for row, words in problems[:SHOWN]:
        click.echo(f"row {row + 1}: {words}", err=True)
    more = len(problems) - SHOWN
    if more > 0:
        click.echo(f"and {more} more; each has its error in the file", err=True)
    raise click.exceptions.Exit(NOT_ALL)


@click.command()
@click.option("--input", "address", required=True, help="JSON of applicants, local or s3://.")
@click.option("--output", required=True, help="CSV to write, local or s3://.")
@click.option(
    "--use-case", default=USE_CASE, show_default=True, help="Whose columns, a use case on a table."
)
@with_environment
def create_sample(environment: Environment, *, address: str, output: str, use_case: str) -> None:
    """Write applicants of a JSON file as the CSV that `clientela invoke` reads."""
    columns, needed = _get_applicant_columns(environment, use_case)
    rows = parse_applicants(_read_utf8_text(address), address)
    write_file_atomically(output, format_applicants_csv(rows, columns, needed).encode())
    click.echo(f"{len(rows)} applicants of {use_case}: {output}")


def parse_applicants(text: str, address: str) -> list[dict[str, Any]]:
    """The applicants of a JSON file.

    Args:
        text: A list of records, one record, or either with each record under `input_data`.
        address: What to call the file in errors.

    Returns:
        One record per applicant (PII), in their order.

    Raises:
        ScoringDataError: It is no JSON, or holds something else than records.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as err:
        # the message of the parser quotes no values
        raise ScoringDataError(f"{address} can't be read as JSON: {err}. Mend it there.") from err
    records = content if isinstance(content, list) else [content]
    rows = [each.get(INPUT_DATA, each) if isinstance(each, dict) else each for each in records]
    strange = [place for place, row in enumerate(rows, 1) if not isinstance(row, dict)]
    if strange or not rows:
        problem = f"record {strange[0]} is something else" if strange else "the list is empty"
        raise ScoringDataError(f"{address} should hold {EXAMPLE}; {problem}.")
    return rows


def format_applicants_csv(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], needed: Sequence[str]
) -> str:
    """The applicants as text of a CSV.

    Args:
        columns: What a record may hold, in the order of the CSV.
        needed: What each record must hold a value of.

    Returns:
        A header, and one line per applicant; a missing value is an empty cell.

    Raises:
        ScoringDataError: A record lacks a column, holds an unknown one, or a value that is none.
    """
    for place, row in enumerate(rows, 1):
        _validate_applicant(place, row, columns, needed)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _validate_applicant(
    place: int, row: dict[str, Any], columns: Sequence[str], needed: Sequence[str]
) -> None:
    unknown = [name for name in row if name not in columns]
    if unknown:
        raise ScoringDataError(
            f"Record {place} holds {', '.join(map(repr, unknown))}, which no applicant has. "
            f"{did_you_mean(unknown[0], columns)} Rename or remove it."
        )
    absent = [name for name in needed if row.get(name) is None]
    if absent:
        raise ScoringDataError(
            f"Record {place} lacks a value of {', '.join(absent)}; only "
            f"{', '.join(name for name in columns if name not in needed) or 'nothing'} may be left "
            "out. Add it."
        )
    nested = [name for name, value in row.items() if isinstance(value, list | dict)]
    if nested:
        raise ScoringDataError(
            f"Record {place}: {', '.join(nested)} should be a word or a number, and is a list or "
            "an object. Write one value."
        )


def _get_applicant_columns(environment: Environment, use_case: str) -> tuple[list[str], list[str]]:
    """What an application may hold, in the order of the raw table, and what it must hold."""
    known = [name for name, entry in environment.entries.items() if entry.kind == "table"]
    if use_case not in known:
        raise ConfigurationError(
            f"No use case on a table that is on is called {use_case!r}. "
            f"{did_you_mean(use_case, known)}"
        )
    features = environment.settings(use_case, "features", TabularFeatureParams)
    rules = environment.settings(use_case, "ingestion", IntakeRules)
    order = dict.fromkeys(name for table in rules.tables.values() for name in table.columns)
    columns = [name for name in order | dict.fromkeys(features.inputs) if name in features.inputs]
    return columns, features.needed


def _read_utf8_text(address: str) -> str:
    fs, path = url_to_fs(address)
    try:
        content: bytes = fs.cat_file(path)
    except FileNotFoundError as err:
        raise ScoringDataError(f"No file lies at {address}. Name the JSON of applicants.") from err
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ScoringDataError(f"{address} is no UTF-8, which JSON is written in.") from err


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
