"""Proof that no row is lost: accepted + quarantined = read."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import pandas as pd

from clientela.exceptions import RowsUnaccounted, TooManyBadRows, TooManyBadValues
from clientela.intake.mending import PLACE, reading_hint, settings_line
from clientela.intake.rules import IntakeRules

COMMONEST = 3
INVALID = "invalid_"


def require_tolerable_share(
    reasons: pd.DataFrame, examples: pd.DataFrame, rules: IntakeRules, use_case: str, name: str
) -> None:
    """Stops when too many rows of a table are unusable.

    Args:
        reasons: One row per reason, with `_reason` (null: accepted) and `rows`.
        examples: One quarantined row per reason: `_reason`, `_file`, `_line`, `_value`.
        rules: The rules of all tables, with the tolerated share.
        use_case: The entry that the table belongs to.
        name: The table.

    Raises:
        TooManyBadRows: Names the commonest reasons, each with the place of an example.
    """
    read = int(reasons["rows"].sum())
    bad = reasons[reasons["_reason"].notna()].sort_values(
        ["rows", "_reason"], ascending=[False, True]
    )
    quarantined = int(bad["rows"].sum())
    if read == 0 or quarantined / read <= rules.max_bad_share:
        return
    places = examples.set_index("_reason")
    commonest = bad.head(COMMONEST)
    causes = [
        f"{rows} x {reason}{_example(places.loc[reason])}"
        for reason, rows in commonest[["_reason", "rows"]].itertuples(index=False)
    ]
    columns = {f"{INVALID}{column}": column for column in rules.tables[name].columns}
    unread = [columns[reason] for reason in commonest["_reason"] if reason in columns]
    raise TooManyBadRows(
        f"{quarantined} of {read} rows of {name!r} ({quarantined / read:.1%}) are unusable; "
        f"tolerated: {rules.max_bad_share:.1%} (ingestion.max_bad_share). "
        f"Commonest: {'; '.join(causes)}. "
        f"All of them, with their text, are in {use_case}/quarantine_{name}.parquet of the "
        "intermediate layer (data/02_intermediate, unless globals.yml names another folder). "
        f"{reading_hint(use_case, name, rules.tables[name], unread)}"
        "Else mend the file, or declare its encoding or delimiter (raw_text in "
        f"conf/local/globals.yml).{_tolerating(quarantined, read, use_case)}"
    )


def _tolerating(quarantined: int, read: int, use_case: str) -> str:
    if quarantined == read:
        return ""
    share = _allowing(quarantined / read)
    return (
        f" If it is right to go on without these rows, say so in {PLACE}: "
        f"{use_case}: {{ingestion: {{max_bad_share: {share}}}}}"
    )


def require_readable_columns(
    emptied: pd.DataFrame, rules: IntakeRules, use_case: str, name: str
) -> None:
    """Stops when a column lost too many of its values, though its rows were kept.

    Args:
        emptied: One row per column whose unusable values are set missing: `column`, `rows` (of
            the accepted, those emptied), `valued` (those that had a value), and of one emptied
            value `_file`, `_line`, `_value`.
        rules: The rules of all tables, with the tolerated shares.
        use_case: The entry that the table belongs to.
        name: The table.

    Raises:
        TooManyBadValues: Names each such column, how many values it lost, and one of them.
    """
    columns = rules.tables[name].columns
    limits = {c: _share_of(columns[c].max_invalid_share, rules) for c in emptied["column"]}
    # a table without such columns has none to take a type from
    tolerated = emptied["column"].map(limits).astype(float) * emptied["valued"].astype(float)
    lost = emptied[emptied["rows"].astype(float) > tolerated]
    if lost.empty:
        return
    shares = lost["rows"] / lost["valued"]
    causes = [
        f"{name}.{row['column']}: {row['rows']} of {row['valued']} values ({share:.1%}; tolerated: "
        f"{limits[row['column']]:.1%}){_example(row)}"
        for (_, row), share in zip(lost.iterrows(), shares, strict=True)
    ]
    allowed = {
        column: {"max_invalid_share": _allowing(share)}
        for column, share in zip(lost["column"], shares, strict=True)
    }
    raise TooManyBadValues(
        f"Values that can't be used would be emptied: {'; '.join(causes)}. "
        f"{reading_hint(use_case, name, rules.tables[name], lost['column'])}"
        f"If it is right to go on without these values, say so in {PLACE}: "
        f"{settings_line(use_case, name, {'columns': allowed})}"
    )


def _share_of(own: float | None, rules: IntakeRules) -> float:
    return rules.max_bad_share if own is None else own


def _allowing(share: float) -> float:
    """The share, rounded up to whole percents."""
    return min(ceil(share * 100) / 100, 1.0)


def _example(place: "pd.Series[Any]") -> str:
    if pd.isna(place["_file"]):
        return ""
    value = f", value {place['_value']!r}" if pd.notna(place["_value"]) else ""
    return f" (e.g. {place['_file']} line {int(place['_line'])}{value})"


def row_account(  # noqa: PLR0913 - the lines of an account
    *,
    read: int,
    accepted: int,
    reasons: pd.DataFrame,
    unknown: Mapping[str, int],
    set_missing: Mapping[str, int],
    repeated: int | None,
    name: str,
) -> dict[str, Any]:
    """The account of one table.

    Args:
        read: Rows that the reader delivered.
        accepted: Rows of the accepted table as stored.
        reasons: One row per reason of the quarantine table as stored, with `_reason`, `rows`.
        unknown: Reference column to the accepted rows whose reference is unknown.
        set_missing: Column to the accepted rows whose unusable value was set missing.
        repeated: Accepted rows that say again what another says; None where a key tells.
        name: The table.

    Returns:
        `read`, `accepted`, `quarantined`, `reasons` (name to rows), `unknown_references`,
        `set_missing`, and `repeated` for tables without a key.

    Raises:
        RowsUnaccounted: The sums differ.
    """
    counts = dict(zip(reasons["_reason"].map(str), reasons["rows"].map(int), strict=True))
    quarantined = sum(counts.values())
    if accepted + quarantined != read:
        raise RowsUnaccounted(
            f"{name!r}: {read} rows read, but {accepted} accepted + {quarantined} quarantined = "
            f"{accepted + quarantined}. The raw file changed during the run, or this is a fault "
            "of the project: run ingestion again and report it if it persists."
        )
    return {
        "read": read,
        "accepted": accepted,
        "quarantined": quarantined,
        "reasons": dict(sorted(counts.items())),
        "unknown_references": dict(unknown),
        "set_missing": dict(set_missing),
        **({} if repeated is None else {"repeated": repeated}),
    }
