"""Keys of the configuration that name something must name something that exists.

A key that nothing reads is no error to Kedro: the run goes on with the sample instead of a person's
file, or with a default instead of their parameter.
"""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from clientela.exceptions import ConfigurationError, did_you_mean

FOR_ONE_RUN = frozenset({"trials", "repeats", "new_baseline", "labeller", "learn_from"})
"""Names that parameter files look up among those of `--params=`."""
NEAR = 0.75


def require_known_entries(
    parameters: Mapping[str, Any], entries: Collection[str], for_one_run: Collection[str]
) -> None:
    """Checks that parameters belong to an entry of the switchboard.

    Args:
        parameters: All parameters, by their first key; keys that begin with `_` are anchors.
        entries: The entries of `use_cases.yml`, also those that are off.
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

    Args:
        names: `raw_files` and `raw_text` of globals.yml.
        catalog: Name of a dataset to its entry, resolved.
        entries: The entries of `use_cases.yml`, also those that are off.

    Raises:
        ConfigurationError: Names the key that no table is looked up by, and the right one.
    """
    keys = dict(_keys_of_tables(names.get("raw_files", {}), catalog, entries))
    known = {key for found in keys.values() for key in found}
    for setting, given in names.items():
        for key in given:
            if key not in known:
                raise ConfigurationError(
                    f"globals.yml: {setting}.{key} is the key of no table, so nothing would read "
                    f"it. {_right_key(setting, key, keys, known)}"
                )


def _keys_of_tables(
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


def _right_key(
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
