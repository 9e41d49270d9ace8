"""The register of decisions: append-only, each record chained to the one before by a keyed hash.

`chain(n) = HMAC-SHA256(key, chain(n - 1) + content(n))`. The head (how many records there are, and
the last chain) lies beside them, sealed in the same way and written in the same transaction: a
record that is changed, dropped or moved breaks the chain at its place, and one that is cut off at
the end breaks the head. Cases and their fields are there as keyed hashes only.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa
from pydantic import AwareDatetime, Field

from clientela.datasets.database import LOCK_SECONDS, SQLITE
from clientela.decisions.case_file import CaseFile, Decision, DecisionSettings
from clientela.exceptions import ConfigurationError, DatabaseOperationError
from clientela.models.metrics import compute_wilson_intervals, ratio
from clientela.registry.manifest import ServedManifest
from clientela.settings_base import FrozenSettings

KEY_VARIABLE = "CLIENTELA_REGISTER_KEY"
SHORTEST_KEY = 32
START = "0" * 64
# of the lock in PostgreSQL that one writer or reader holds at a time
LOCK_NUMBER = 20260131

METADATA = sa.MetaData()
RECORDS = sa.Table(
    "decision_register",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, SQLITE), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("chain", sa.String(64), nullable=False),
)
HEAD = sa.Table(
    "decision_register_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("chain", sa.String(64), nullable=False),
    sa.Column("seal", sa.String(64), nullable=False),
)


class HumanDecision(FrozenSettings):
    """What a person decided.

    Attributes:
        decision: What was decided.
        analyst: Who decided, by the name they work under.
        second: Who agreed, where two people decide.
        override: Code of the reason for which the analyst departed from the model.
    """

    decision: Decision
    analyst: str = Field(min_length=1)
    second: str | None = None
    override: str | None = None

    def find_problem(
        self, file: CaseFile, settings: DecisionSettings
    ) -> Literal["override", "second"] | None:
        """What is missing before this may be decided; None: nothing.

        Returns:
            `override`: the analyst departs from the model, and gives none of the reasons of the
            settings. `second`: above the limit, or where the amount is not known, an approval
            needs a second person who is another one.
        """
        departs = {file.decision, self.decision} == {"approve", "refuse"}
        if departs and self.override not in settings.override_reasons:
            return "override"
        limit = settings.second_person
        if limit is None or self.decision != "approve":
            return None
        amount = file.case.get(limit.column)
        above = not isinstance(amount, int | float) or amount > limit.above
        alone = not self.second or self.second.casefold() == self.analyst.casefold()
        return "second" if above and alone else None


class DecisionRecord(FrozenSettings):
    """One decision; of the model alone where nobody signs.

    Attributes:
        case: Keyed hash of the case's key.
        inputs: Keyed hash of the fields that were decided on.
        model_decision: What the model said.
        reasons: Codes, the weightiest first.
        letter: SHA-256 of the letter; None without one.
        decision, analyst, second, override: See `HumanDecision`.
    """

    use_case: str
    case: str
    version: str
    inputs: str
    score: float
    threshold: float
    model_decision: Decision
    reasons: tuple[str, ...] = ()
    letter: str | None = None
    decision: Decision
    analyst: str | None = None
    second: str | None = None
    override: str | None = None
    at: AwareDatetime


def read_register_key(environment: Mapping[str, str] = os.environ) -> bytes:
    """The key that cases are hashed and records are chained with.

    Raises:
        ConfigurationError: There is none, or it is short.
    """
    key = environment.get(KEY_VARIABLE, "")
    if len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"The register needs a secret of at least {SHORTEST_KEY} characters in {KEY_VARIABLE}; "
            f"{'it is not set' if not key else f'the one set has {len(key)}'}. Make one once and "
            'keep it: python -c "import secrets; print(secrets.token_hex(32))"'
        )
    return key.encode()


class DecisionRegister:
    """The decisions of all use cases, in one table of a database.

    Args:
        url: Of SQLite or PostgreSQL; see `clientela.datasets.database.resolve_database_url`.
    """

    def __init__(self, url: sa.URL, key: bytes) -> None:
        arguments = {"timeout": LOCK_SECONDS} if url.get_backend_name() == SQLITE else {}
        self._engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True)
        self._key = key

    def hash(self, *parts: Any) -> str:
        """The keyed hash of values that JSON can hold."""
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
        return self._sign(text)

    def describe(
        self,
        manifest: ServedManifest,
        key: str,
        file: CaseFile,
        letter: str | None = None,
        human: HumanDecision | None = None,
    ) -> DecisionRecord:
        """The record of a case file, now.

        Args:
            letter: SHA-256 of its letter.
            human: What a person decided; None: nobody but the model.
        """
        decided = {"decision": file.decision} if human is None else human.model_dump()
        return DecisionRecord(
            use_case=manifest.use_case,
            case=self.hash(manifest.use_case, key),
            version=manifest.version,
            inputs=self.hash(file.case),
            score=file.score,
            threshold=file.threshold,
            model_decision=file.decision,
            reasons=tuple(reason.code for reason in file.reasons),
            letter=letter,
            at=datetime.now().astimezone(),
            **decided,
        )

    def append(self, records: Sequence[DecisionRecord]) -> int:
        """Add records, all of them or none.

        Returns:
            The number of the last one.

        Raises:
            DatabaseOperationError: The database refuses.
        """
        with self._transaction() as connection:
            head = connection.execute(sa.select(HEAD)).one_or_none()
            number, chain = (0, START) if head is None else (head.records, head.chain)
            rows = []
            for record in records:
                number, content = number + 1, record.model_dump_json()
                chain = self._sign(chain + content)
                rows.append({"number": number, "content": content, "chain": chain})
            if rows:
                connection.execute(sa.insert(RECORDS), rows)
            sealed = {"records": number, "chain": chain, "seal": self._sign(f"{number}|{chain}")}
            if head is None:
                connection.execute(sa.insert(HEAD).values(id=1, **sealed))
            else:
                connection.execute(sa.update(HEAD).values(**sealed))
        return number

    def verify(self) -> list[str]:
        """What is wrong with the register, record by record; empty where nothing is."""
        problems: list[str] = []
        chain, expected = START, 1
        with self._transaction() as connection:
            head = connection.execute(sa.select(HEAD)).one_or_none()
            for row in connection.execute(sa.select(RECORDS).order_by(RECORDS.c.number)):
                if row.number != expected:
                    problems.append(f"{_name_numbers(expected, row.number - 1)} missing")
                elif row.chain != self._sign(chain + row.content):
                    problems.append(f"record {row.number} was changed, or is not where it was")
                chain, expected = row.chain, row.number + 1
        if head is None:
            return [*problems, "the head is missing"] if expected > 1 else problems
        if head.seal != self._sign(f"{head.records}|{head.chain}"):
            problems.append("the head was changed")
        elif expected <= head.records:
            problems.append(f"{_name_numbers(expected, head.records)} missing")
        elif (head.records, head.chain) != (expected - 1, chain):
            problems.append(f"{_name_numbers(head.records + 1, expected - 1)} not written by us")
        return problems

    def read(self, use_case: str) -> Iterator[DecisionRecord]:
        """The records of a use case, in their order."""
        with self._transaction() as connection:
            for row in connection.execute(sa.select(RECORDS).order_by(RECORDS.c.number)):
                record = DecisionRecord.model_validate_json(row.content)
                if record.use_case == use_case:
                    yield record

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """One writer or reader at a time: a second one waits before it reads the head."""
        try:
            with self._engine.connect() as connection:
                if self._engine.dialect.name == SQLITE:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                else:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))
                METADATA.create_all(connection)
                yield connection
                connection.commit()
        except sa.exc.SQLAlchemyError as err:
            # the words of a database may repeat the row that it failed on
            raise DatabaseOperationError(
                f"The register of decisions refused: {type(err).__name__}. Nothing was recorded; "
                "check the database that CLIENTELA_DATABASE names, then decide again."
            ) from None


def _name_numbers(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"


# Columns of the table of departures.
OVERRIDE_COLUMNS = (
    "column",
    "group",
    "decided",
    "overridden",
    "rate",
    "lower",
    "upper",
    "approved",
    "known",
    "ended_well",
)


def override_table(
    records: Iterable[DecisionRecord], people: pd.DataFrame, groups: Mapping[str, "pd.Series[Any]"]
) -> pd.DataFrame:
    """How often people depart from the model, in all and by group, and how those cases ended.

    Args:
        records: Of one use case; of a case that was decided twice the last one counts.
        people: One row per case: `case` (its keyed hash) and `outcome` (1: as people hope for, 0:
            not, missing: not known yet).
        groups: Column to the group of each of these rows.

    Returns:
        One row for all (`column` and `group` empty) and per group: `decided` by a person,
        `overridden`, `rate` with its 95 % interval `lower`, `upper`, `approved` against the model,
        `known` outcomes among those, `ended_well` (their share that did; missing without any).
    """
    last = {record.case: record for record in records if record.analyst is not None}
    rows = people.assign(**groups)
    rows = rows[rows["case"].isin(last)].reset_index(drop=True)
    decided = [last[case] for case in rows["case"]]
    rows["overridden"] = [record.override is not None for record in decided]
    rows["approved"] = [
        record.override is not None and record.decision == "approve" for record in decided
    ]
    parts = [("", "", rows)]
    for name in groups:
        parts += [(name, str(group), part) for group, part in rows.groupby(name, observed=True)]
    counts = []
    for column, group, part in parts:
        outcomes = part.loc[part["approved"], "outcome"].dropna()
        counts.append(
            {
                "column": column,
                "group": group,
                "decided": len(part),
                "overridden": int(part["overridden"].sum()),
                "approved": int(part["approved"].sum()),
                "known": len(outcomes),
                "ended_well": float(outcomes.mean()) if len(outcomes) else np.nan,
            }
        )
    table = pd.DataFrame(counts)
    hits, total = (table[name].to_numpy(np.float64) for name in ("overridden", "decided"))
    lower, upper = compute_wilson_intervals(hits, total)
    rates = {"rate": ratio(hits, total, empty=np.nan), "lower": lower, "upper": upper}
    return table.assign(**rates)[list(OVERRIDE_COLUMNS)]
