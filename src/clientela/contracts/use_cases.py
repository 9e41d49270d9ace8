"""The switchboard: which use cases are on, and which stages each of them has.

`conf/<env>/use_cases.yml` is the one list. An entry with a task is a use case; an entry without
one only prepares tables that use cases share, and is on while one of them is.
"""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clientela.exceptions import ConfigurationError, did_you_mean


class Table(BaseModel):
    """One raw table of a use case.

    Attributes:
        references: Key column to the table that should know each of its values.
        generator: What draws a sample of it in the stage data_generation; None for no sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    references: dict[str, str] = {}
    generator: str | None = None


class UseCase(BaseModel):
    """One entry of the switchboard.

    Attributes:
        name: Namespace of its nodes and datasets.
        enabled: Whether it is on.
        kind: `transactions` (many rows per customer) or `table` (one row per case).
        task: What its model answers; None for an entry that only prepares shared tables.
        shares: The entry whose tables it uses; None when it brings its own.
        stages: Its stages, in the order they run.
        tables: Its raw tables; a table stands after the tables it references.
        tags: What `kedro run --tags=` selects it by: its own name, and for shared tables the name
            of every use case that is on and uses them.
        shared_tables: Tables that carry no namespace, because several use cases read them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    enabled: bool = True
    kind: Literal["transactions", "table"]
    task: Literal["ordinal", "binary", "segments"] | None = None
    shares: str | None = None
    stages: tuple[str, ...] = Field(min_length=1)
    tables: dict[str, Table] = {}
    tags: tuple[str, ...] = ()
    shared_tables: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _tables_follow_what_they_reference(self) -> Self:
        seen: set[str] = set()
        for name, table in self.tables.items():
            unknown = set(table.references.values()) - seen
            if unknown:
                raise ValueError(
                    f"table {name!r} references {sorted(unknown)}, listed later or not at all"
                )
            seen.add(name)
        return self


def switchboard(config: Mapping[str, object], stages: frozenset[str]) -> dict[str, UseCase]:
    """The entries that are on, in their order, with their tags.

    Args:
        config: Content of `use_cases.yml`: name of an entry to its fields.
        stages: Every stage that exists.

    Returns:
        Name to entry; shared tables come before the use cases that need them.

    Raises:
        ConfigurationError: An entry has unknown fields, stages, or shares an unknown entry.
    """
    entries = {name: _entry(name, fields) for name, fields in config.items()}
    for entry in entries.values():
        for stage in entry.stages:
            if stage not in stages:
                raise ConfigurationError(
                    f"use_cases.yml: {entry.name!r} names the stage {stage!r}, which does not "
                    "exist. " + did_you_mean(stage, stages)
                )
        if entry.shares is not None and entry.shares not in entries:
            raise ConfigurationError(
                f"use_cases.yml: {entry.name!r} shares the tables of {entry.shares!r}, which has "
                f"no entry. {did_you_mean(entry.shares, entries)}"
            )
    active = [entry for entry in entries.values() if entry.task is not None and entry.enabled]
    return _with_tags(entries, active)


def _entry(name: str, fields: object) -> UseCase:
    if not isinstance(fields, Mapping):
        raise ConfigurationError(
            f"use_cases.yml: {name!r} should hold fields such as kind and stages, but holds "
            f"{fields!r}."
        )
    try:
        return UseCase.model_validate({"name": name, **fields})
    except ValidationError as err:
        problems = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'entry'}: {error['msg']}"
            for error in err.errors()
        )
        raise ConfigurationError(f"use_cases.yml: the entry {name!r} is wrong: {problems}") from err


def _with_tags(entries: Mapping[str, UseCase], active: list[UseCase]) -> dict[str, UseCase]:
    shared = {
        name: entry.model_copy(update={"tags": users, "shared_tables": tuple(entry.tables)})
        for name, entry in entries.items()
        if (users := tuple(user.name for user in active if user.shares == name)) and entry.enabled
    }
    return shared | {entry.name: _with_own_tag(entry, entries) for entry in active}


def _with_own_tag(entry: UseCase, entries: Mapping[str, UseCase]) -> UseCase:
    shared = tuple(entries[entry.shares].tables) if entry.shares is not None else ()
    return entry.model_copy(update={"tags": (entry.name,), "shared_tables": shared})
