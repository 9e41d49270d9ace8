"""The switchboard: which use cases are on, and which stages each of them has.

`conf/<env>/use_cases.yml` is the one list. An entry with a task is a use case; an entry without one
only prepares tables that use cases share, and is on while one of them is.

Keys of the configuration that name something must name something that exists: a key that nothing
reads is no error to Kedro, so the run would go on with the sample instead of a person's file, or
with a default instead of their parameter.
"""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.settings_base import FrozenSettings

# Every stage that a use case may have; each is a package under `clientela.pipelines`.
STAGES: Final = (
    "data_generation",
    "ingestion",
    "labelling",
    "eda",
    "feature_engineering",
    "ordinal_target",
    "segmentation",
    "training",
    "scoring",
    "monitoring",
    "deployment",
)


class Table(FrozenSettings):
    """One raw table of a use case.

    Attributes:
        references: Key column to the table that should know each of its values.
        generator: What draws a sample of it in the stage data_generation; None for no sample.
    """

    references: dict[str, str] = {}
    generator: str | None = None


class UseCase(FrozenSettings):
    """One entry of the switchboard.

    Attributes:
        kind: `transactions` (many rows per customer) or `table` (one row per case).
        task: What its model answers; None for an entry that only prepares shared tables.
        shares: The entry whose tables it uses; None when it brings its own.
        stages: Its stages, in the order they run.
        tables: Its raw tables; a table stands after the tables it references.
        tags: What `kedro run --tags=` selects it by: its own name, and for shared tables the name
            of every use case that is on and uses them.
        shared_tables: Tables that carry no namespace, because several use cases read them.
    """

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
    def _check_table_order(self) -> Self:
        seen: set[str] = set()
        for name, table in self.tables.items():
            unknown = set(table.references.values()) - seen
            if unknown:
                raise ValueError(
                    f"table {name!r} references {sorted(unknown)}, listed later or not at all"
                )
            seen.add(name)
        return self


def parse_use_cases(config: Mapping[str, object]) -> dict[str, UseCase]:
    """The entries that are on, in their order, with their tags.

    Args:
        config: Content of `use_cases.yml`: name of an entry to its fields.

    Returns:
        Name to entry; shared tables come before the use cases that need them.

    Raises:
        ConfigurationError: An entry has unknown fields or stages, the name of a stage, or shares
            an unknown entry.
    """
    entries = {name: _parse_use_case(name, fields) for name, fields in config.items()}
    for entry in entries.values():
        if entry.name in STAGES:  # both name a pipeline of `kedro run --pipelines=`
            raise ConfigurationError(
                f"use_cases.yml: {entry.name!r} is the name of a stage, so no use case can "
                "have it. Rename the entry."
            )
        for stage in entry.stages:
            if stage not in STAGES:
                raise ConfigurationError(
                    f"use_cases.yml: {entry.name!r} names the stage {stage!r}, which does not "
                    "exist. " + did_you_mean(stage, STAGES)
                )
        if entry.shares is not None and entry.shares not in entries:
            raise ConfigurationError(
                f"use_cases.yml: {entry.name!r} shares the tables of {entry.shares!r}, which has "
                f"no entry. {did_you_mean(entry.shares, entries)}"
            )
    active = [entry for entry in entries.values() if entry.task is not None and entry.enabled]
    return _add_tags(entries, active)


def _parse_use_case(name: str, fields: object) -> UseCase:
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


def _add_tags(entries: Mapping[str, UseCase], active: list[UseCase]) -> dict[str, UseCase]:
    shared = {
        name: entry.model_copy(update={"tags": users, "shared_tables": tuple(entry.tables)})
        for name, entry in entries.items()
        if (users := tuple(user.name for user in active if user.shares == name)) and entry.enabled
    }
    return shared | {entry.name: _add_own_tag(entry, entries) for entry in active}


def _add_own_tag(entry: UseCase, entries: Mapping[str, UseCase]) -> UseCase:
    shared = tuple(entries[entry.shares].tables) if entry.shares is not None else ()
    return entry.model_copy(update={"tags": (entry.name,), "shared_tables": shared})


# Names that parameter files look up among those of `--params=`.
FOR_ONE_RUN = frozenset(
    {"trials", "repeats", "new_baseline", "labeller", "budget", "learn_from", "shift"}
)
NEAR = 0.75


def require_known_entries(
    parameters: Mapping[str, Any], entries: Collection[str], for_one_run: Collection[str]
) -> None:
    """Checks that parameters belong to an entry of the switchboard.

    Args:
        parameters: All parameters, by their first key; keys that begin with `_` are anchors.
        for_one_run: First keys given on the command line: there others than the known ones may
            serve somebody's own parameter files, so that only near misses are refused.

    Raises:
        ConfigurationError: Names the key that belongs to none, and the nearest ones.
    """
    for key in parameters:
        known = {*entries, *FOR_ONE_RUN} if key in for_one_run else {*entries}
        if key in known or key.startswith("_"):
            continue
        if key in for_one_run and not get_close_matches(key, known, cutoff=NEAR):
            continue
        place = "--params=" if key in for_one_run else "the parameter files"
        raise ConfigurationError(
            f"{place}: {key!r} is no entry of use_cases.yml, so nothing would read it. "
            + did_you_mean(key, known)
        )


def require_known_raw_files(
    names: Mapping[str, Mapping[str, Any]], catalog: Mapping[str, Any], entries: Mapping[str, Any]
) -> None:
    """Checks that files are named under the key by which the catalog looks them up.

    Raises:
        ConfigurationError: Names the key that no table is looked up by, and the right one.
    """
    keys = dict(_find_table_keys(names.get("raw_files", {}), catalog, entries))
    known = {key for table_keys in keys.values() for key in table_keys}
    for setting, given in names.items():
        for key in given:
            if key not in known:
                raise ConfigurationError(
                    f"globals.yml: {setting}.{key} is the key of no table, so nothing would read "
                    f"it. {_describe_correct_key(setting, key, keys, known)}"
                )


def _find_table_keys(
    raw_files: Mapping[str, str], catalog: Mapping[str, Any], entries: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Use case and table, and the keys under which its file is looked up."""
    for use_case, fields in entries.items():
        for table in fields.get("tables") or {}:
            entry = catalog.get(f"{use_case}.raw_{table}@text")
            if entry is None:  # a pattern serves it, which knows the use case alone
                yield (use_case, table), [use_case]
                continue
            path = str(entry.get("filepath", ""))
            used = {key: name for key, name in raw_files.items() if path.endswith(f"/{name}")}
            # the longest name: that of another key may be its end, as `a.csv` is of `loans/a.csv`
            whole = max(map(len, used.values()), default=0)
            found = [key for key, name in used.items() if len(name) == whole]
            yield (use_case, table), sorted(found, key=lambda key: (key != table, key))


def _describe_correct_key(
    setting: str, key: str, keys: Mapping[tuple[str, str], list[str]], known: Collection[str]
) -> str:
    meant = {place: found for place, found in keys.items() if key in place}
    if not meant:
        return did_you_mean(key, known)
    ways = [
        f"the table {table!r} of {use_case} is named by {setting}.{found[0]}"
        if found
        else f"the file of {use_case}.{table} stands in the catalog: {use_case}.raw_{table}@text"
        for (use_case, table), found in meant.items()
    ]
    return f"Instead, {'; '.join(ways)}."
