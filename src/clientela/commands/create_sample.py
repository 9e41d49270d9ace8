"""Turn applicants in JSON into the CSV that is asked about: `clientela create-sample`."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from fsspec.core import url_to_fs

from clientela.commands.environment import Environment
from clientela.commands.main import with_environment
from clientela.exceptions import ConfigurationError, ScoringDataError, did_you_mean
from clientela.intake.rules import IntakeRules
from clientela.registry.whole_files import write_whole
from clientela.tabular.params import TabularFeatureParams

USE_CASE = "credit_preauth"
INPUT_DATA = "input_data"
"""Under which a record of `clientela invoke` holds what was asked about."""

EXAMPLE = '[{"Age": 35, …}, …], one such record, or the results of clientela invoke'


@click.command()
@click.option("--input", "address", required=True, help="JSON of applicants, local or s3://.")
@click.option("--output", required=True, help="CSV to write, local or s3://.")
@click.option(
    "--use-case", default=USE_CASE, show_default=True, help="Whose columns, a use case on a table."
)
@with_environment
def create_sample(environment: Environment, *, address: str, output: str, use_case: str) -> None:
    """Write applicants of a JSON file as the CSV that `clientela invoke` reads."""
    columns, needed = _columns(environment, use_case)
    rows = applicants_of(_text(address), address)
    write_whole(output, applicants_csv(rows, columns, needed).encode())
    click.echo(f"{len(rows)} applicants of {use_case}: {output}")


def applicants_of(text: str, address: str) -> list[dict[str, Any]]:
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
        content = json.loads(text, parse_constant=_no_number)
    except ValueError as err:
        # the message of the parser quotes no values
        raise ScoringDataError(f"{address} can't be read as JSON: {err}. Mend it there.") from err
    records = content if isinstance(content, list) else [content]
    rows = [each.get(INPUT_DATA, each) if isinstance(each, dict) else each for each in records]
    strange = [place for place, row in enumerate(rows, 1) if not isinstance(row, dict)]
    if strange or not rows:
        found = f"record {strange[0]} is something else" if strange else "the list is empty"
        raise ScoringDataError(f"{address} should hold {EXAMPLE}; {found}.")
    return rows


def applicants_csv(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], needed: Sequence[str]
) -> str:
    """The applicants as text of a CSV.

    Args:
        rows: One record per applicant.
        columns: What a record may hold, in the order of the CSV.
        needed: What each record must hold a value of.

    Returns:
        A header, and one line per applicant; a missing value is an empty cell.

    Raises:
        ScoringDataError: A record lacks a column, holds an unknown one, or a value that is none.
    """
    for place, row in enumerate(rows, 1):
        _require_columns(place, row, columns, needed)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _require_columns(
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


def _columns(environment: Environment, use_case: str) -> tuple[list[str], list[str]]:
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


def _text(address: str) -> str:
    fs, path = url_to_fs(address)
    try:
        content: bytes = fs.cat_file(path)
    except FileNotFoundError as err:
        raise ScoringDataError(f"No file lies at {address}. Name the JSON of applicants.") from err
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ScoringDataError(f"{address} is no UTF-8, which JSON is written in.") from err


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
