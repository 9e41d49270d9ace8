"""`clientela letters` writes to refused applicants; `clientela register` looks after decisions."""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import ibis.expr.types as ir
import numpy as np

from clientela.cli.environment import Environment
from clientela.cli.main import with_environment
from clientela.datasets.database import resolve_database_url
from clientela.datasets.table import read_frame
from clientela.decisions.case_file import DecisionSettings, build_case_files
from clientela.decisions.letters import write_letter
from clientela.decisions.register import (
    DecisionRecord,
    DecisionRegister,
    override_table,
    read_register_key,
)
from clientela.exceptions import ConfigurationError, NoApprovedModelError, ScoringDataError
from clientela.features.table_settings import TabularFeatureParams
from clientela.models.fairness import FairnessSettings, assign_sensitive_groups
from clientela.progress import iter_with_progress
from clientela.registry.package import open_package
from clientela.registry.scorers import CompiledScorer, build_scorer
from clientela.serving.client import read_applicants
from clientela.storage import compute_sha256, write_file_atomically
from clientela.text import normalize_word

REGISTER = "decisions.sqlite"
CASES_AT_A_TIME = 500


def load_served_scorer(environment: Environment, use_case: str) -> CompiledScorer:
    """The approved model of a use case.

    Raises:
        NoApprovedModelError: None is approved.
    """
    environment.use_case(use_case)
    pointer = environment.served.served().get(use_case)
    if pointer is None:
        raise NoApprovedModelError(
            f"No model of {use_case} is approved. Run first: kedro run --pipelines=deployment "
            f"--tags={use_case}; clientela approve {use_case}"
        )
    content = environment.served.package(pointer)
    return build_scorer(open_package(content, pointer.package, pointer.package_sha256))


def open_register(environment: Environment) -> DecisionRegister:
    """The register of an environment: in its database, or an SQLite file below the model output.

    Raises:
        ConfigurationError: The secret is missing, or an object store can't hold the file.
    """
    key = read_register_key()
    path = environment.place(f"{environment.globals['model_output']}/{REGISTER}")
    url = resolve_database_url(environment.globals.get("database"), path)
    if url is None:
        raise ConfigurationError(
            f"The register can't be a file at {path}: an object store has no transactions. Name a "
            "PostgreSQL database in CLIENTELA_DATABASE."
        )
    if url.host is None:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    return DecisionRegister(url, key)


@click.command()
@click.argument("use_case")
@click.option("--input", "address", help="CSV of applications; default: what ingestion accepted.")
@click.option("--key", default=None, help="Column of the CSV that names each application.")
@click.option("--delimiter", default=",", show_default=True, help="Between the cells of the CSV.")
@click.option("--output", default=None, help="Folder; default: letters below the model output.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Of the letters; today.")
@with_environment
def letters(  # noqa: PLR0913 - one argument for each option
    environment: Environment,
    use_case: str,
    *,
    address: str | None,
    key: str | None,
    delimiter: str,
    output: str | None,
    day: datetime | None,
) -> None:
    """Write the letters of the refused applications of USE_CASE, and record every decision.

    Referred applications get no letter: a person decides them first. Run again, it records only
    what changed. The secret of the register is taken from CLIENTELA_REGISTER_KEY.
    """
    settings = environment.settings(use_case, "decisions", DecisionSettings)
    scorer, register = load_served_scorer(environment, use_case), open_register(environment)
    manifest = scorer.manifest
    if address is None:
        cases = read_accepted_cases(environment, use_case, scorer)
    else:
        cases = _read_csv_cases(address, key, delimiter, scorer)
    folder = output or environment.place(
        f"{environment.globals['model_output']}/{use_case}/letters"
    )
    known = {(each.case, each.version, each.inputs) for each in register.read(use_case)}
    today = datetime.now().astimezone().date() if day is None else day.date()
    counts = dict.fromkeys(("approve", "refuse", "refer"), 0)
    starts = range(0, len(cases), CASES_AT_A_TIME)
    for start in iter_with_progress(starts, len(starts), "letters"):
        part = cases[start : start + CASES_AT_A_TIME]
        records: list[DecisionRecord] = []
        written: list[tuple[str, bytes]] = []
        for (name, _), file in zip(
            part, build_case_files(scorer, [case for _, case in part], settings), strict=True
        ):
            counts[file.decision] += 1
            digest = None
            if file.decision == "refuse":
                letter = write_letter(file, name, manifest, settings, today)
                page, place = letter.html().encode(), f"{folder}/{quote(name, safe='')}"
                digest = compute_sha256(page)
                written += [(f"{place}.html", page), (f"{place}.docx", letter.docx())]
            record = register.describe(manifest, name, file, letter=digest)
            if (record.case, record.version, record.inputs) not in known:
                records.append(record)
        # the record first: killed between the two, the next run writes the same letters again
        register.append(records)
        for place, content in written:
            write_file_atomically(place, content, ".part")
    click.echo(
        f"{len(cases)} applications: {counts['approve']} approved, {counts['refuse']} refused with "
        f"a letter in {folder}, {counts['refer']} for a person to decide. The letters are drafts: "
        "counsel must review their words."
    )


def _load_accepted(environment: Environment, use_case: str) -> ir.Table:
    """The table that ingestion accepted."""
    (table,) = environment.entries[use_case].tables
    run = f"--pipelines=ingestion --tags={use_case}"
    (accepted,) = environment.load_datasets([f"{use_case}.accepted_{table}"], run)
    return accepted


def read_accepted_cases(
    environment: Environment, use_case: str, scorer: CompiledScorer
) -> list[tuple[str, dict[str, Any]]]:
    """The rows that ingestion accepted, by their key."""
    accepted = _load_accepted(environment, use_case)
    key = str(scorer.manifest.model["key"])
    names = [field.name for field in scorer.manifest.read]
    frame = read_frame(accepted.select(key, *names).order_by(key))
    rows = frame[names].astype(object).where(frame[names].notna(), None).to_numpy()
    cases = [dict(zip(names, row, strict=True)) for row in rows]
    return list(zip(frame[key].astype(str), cases, strict=True))


def _read_csv_cases(
    address: str, key: str | None, delimiter: str, scorer: CompiledScorer
) -> list[tuple[str, dict[str, Any]]]:
    manifest = scorer.manifest
    found = read_applicants(address, manifest.fields, key, delimiter, manifest.text)
    wrong = [(row, each.problem) for row, each in enumerate(found.rows, start=1) if each.problem]
    if wrong:
        listed = "; ".join(f"row {row}: {problem}" for row, problem in wrong[:10])
        raise ScoringDataError(
            f"{len(wrong)} of {len(found.rows)} applications can't be decided: {listed}. Correct "
            "them, or take them out of the file."
        )
    return [(each.key or str(row), each.case) for row, each in enumerate(found.rows, start=1)]


@click.group()
def register() -> None:
    """Look after the register of decisions."""


@register.command()
@with_environment
def verify(environment: Environment) -> None:
    """Say whether a record of the register was changed, dropped or moved."""
    problems = open_register(environment).verify()
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException(f"The register is not whole: {len(problems)} problem(s).")
    click.echo("The register is whole.")


@register.command()
@click.argument("use_case")
@with_environment
def report(environment: Environment, use_case: str) -> None:
    """Report how often people depart from the model of USE_CASE, and how those cases ended.

    By group of people as `training.fairness` has them; written to overrides.csv beside the reports.
    """
    features = environment.settings(use_case, "features", TabularFeatureParams)
    fairness = environment.parameters[use_case]["training"].get("fairness") or {}
    columns = FairnessSettings.model_validate(fairness).columns
    people = read_frame(_load_accepted(environment, use_case))
    decisions, target = open_register(environment), features.target
    hoped = (target.negative, target.positive)[fairness.get("favourable", 1)]
    judged = environment.parameters[use_case].get("labelling", {}).get("truth_column")
    truth = next((name for name in (target.column, judged) if name in people), None)
    known = people.assign(case=[decisions.hash(use_case, str(key)) for key in people[features.key]])
    known["outcome"] = np.nan
    if truth is not None:
        words = people[truth].map(lambda word: normalize_word(str(word)), na_action="ignore")
        known["outcome"] = (words == hoped.word).where(words.notna()).astype(float)
    groups = assign_sensitive_groups(people, columns)
    found = override_table(decisions.read(use_case), known[["case", "outcome"]], groups)
    place = environment.place(f"{environment.globals['reporting']}/{use_case}/overrides.csv")
    write_file_atomically(place, found.to_csv(index=False, lineterminator="\n").encode())
    click.echo(found.to_string(index=False, na_rep="-", float_format="{:.3f}".format))
    click.echo(f"Written to {place}")
