"""Proof that no row is lost: accepted + quarantined = read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clientela.exceptions import RowsUnaccounted, TooManyBadRows

COMMONEST = 3


def require_tolerable_share(
    reasons: pd.DataFrame, examples: pd.DataFrame, name: str, max_bad_share: float
) -> None:
    """Stops when too many rows of a table are unusable.

    Args:
        reasons: One row per reason, with `_reason` (null: accepted) and `rows`.
        examples: One quarantined row per reason: `_reason`, `_file`, `_line`, `_value`.
        name: The table.
        max_bad_share: Largest tolerated share, 0..1.

    Raises:
        TooManyBadRows: Names the commonest reasons, each with the place of an example.
    """
    read = int(reasons["rows"].sum())
    bad = reasons[reasons["_reason"].notna()].sort_values(
        ["rows", "_reason"], ascending=[False, True]
    )
    quarantined = int(bad["rows"].sum())
    if read == 0 or quarantined / read <= max_bad_share:
        return
    places = examples.set_index("_reason")
    causes = [
        f"{rows} x {reason}{_example(places.loc[reason])}"
        for reason, rows in bad.head(COMMONEST)[["_reason", "rows"]].itertuples(index=False)
    ]
    raise TooManyBadRows(
        f"{quarantined} of {read} rows of {name!r} ({quarantined / read:.1%}) are unusable; "
        f"tolerated: {max_bad_share:.1%} (ingestion.max_bad_share). "
        f"Commonest: {'; '.join(causes)}. "
        f"All of them, with their text, are in the table quarantine_{name}. Mend the file, declare "
        "its encoding, delimiter, date_formats or separators, or raise the tolerated share."
    )


def _example(place: "pd.Series[Any]") -> str:
    value = f", value {place['_value']!r}" if pd.notna(place["_value"]) else ""
    return f" (e.g. {place['_file']} line {place['_line']}{value})"


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
