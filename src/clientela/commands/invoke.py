"""Ask a served model about a file of applicants: `clientela invoke`."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from clientela.aws.errors import explained
from clientela.commands.account import Account
from clientela.commands.environment import Environment
from clientela.commands.main import with_environment
from clientela.exceptions import ServingError
from clientela.inference.fields import InputField
from clientela.progress import with_progress
from clientela.registry.whole_files import write_whole
from clientela.serving.asking.answers import Case, Model, Outcome, outcomes
from clientela.serving.asking.api_model import ApiModel
from clientela.serving.asking.applicants import Applicant, applicants
from clientela.serving.asking.endpoint_model import EndpointModel
from clientela.serving.asking.records import Event, Record, record
from clientela.serving.case_schema import ID, LONGEST_ID
from clientela.serving.settings import variable

URL = "http://127.0.0.1:8000"
RUNTIME = "sagemaker-runtime"
SHOWN = 10
NOT_ALL = 1
"""Exit code where a row has no answer; the records are written all the same."""


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
    with _asked_model(environment, url, use_case, endpoint) as model:
        about = model.about()
        fields = [InputField.model_validate(field) for field in about["fields"]]
        named = event or environment.deployment(about["use_case"]).event
        meant = Event.of(about, named, threshold)
        found = applicants(address, fields, key, delimiter)
        if found.ignored:
            click.echo(f"Columns that the model does not ask for: {', '.join(found.ignored)}")
        told = _outcomes(model, found.rows, batch)
        rows = with_progress(zip(found.rows, told, strict=True), len(found.rows), "asked")
        records = [record(applicant, outcome, meant, key, _now()) for applicant, outcome in rows]
    folder = output or environment.place(str(environment.globals["model_output"]))
    place = f"{folder.rstrip('/')}/results/inference_results{_now():%Y%m%dT%H%M%S%f}.json"
    text = json.dumps(records, ensure_ascii=False, indent=2, allow_nan=False)
    write_whole(place, text.encode())
    _report(about, records, place)


@contextmanager
def _asked_model(
    environment: Environment, url: str, use_case: str | None, endpoint: str | None
) -> Iterator[Model]:
    if endpoint is None:
        with closing(ApiModel(url, use_case, os.environ.get(variable("token")))) as model:
            yield model
        return
    with closing(Account.of(environment).clients(RUNTIME)) as client:
        told = partial(explained, service=RUNTIME, error=ServingError)
        yield EndpointModel(endpoint, client, told)


def _outcomes(model: Model, rows: Sequence[Applicant], size: int) -> Iterator[Outcome]:
    """One per row: those that break a field are not sent."""
    sent = outcomes(model, [_sent(row) for row in rows if not row.problem], size)
    for row in rows:
        yield Outcome(None, row.problem) if row.problem else next(sent)


def _sent(row: Applicant) -> Case:
    return {**row.case, ID: row.key[:LONGEST_ID]} if row.key else row.case


def _now() -> datetime:
    """Local time, as records have it."""
    return datetime.now(UTC).astimezone().replace(tzinfo=None)


def _report(about: dict[str, Any], records: Sequence[Record], place: str) -> None:
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
