"""Makes a baseline profile from the baseline's rows."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from clientela.drift.bins import bin_edges
from clientela.drift.cells import Numbers, bin_starts, digest, number_cells
from clientela.drift.columns import Kind, Rows, batches, kind_of, numbers, text_counts
from clientela.drift.profile import (
    BaselineProfile,
    CategoricalProfile,
    Edge,
    NumericProfile,
    Period,
)
from clientela.drift.settings import ProfileSettings
from clientela.exceptions import ProfileUnusable, did_you_mean

DECILES = np.linspace(0, 1, 11)


def baseline_profile(
    rows: Rows,
    settings: ProfileSettings,
    *,
    use_case: str,
    period: Period | None = None,
    columns: Sequence[str] | None = None,
) -> BaselineProfile:
    """The profile of a baseline, the same whatever the order of its rows.

    Args:
        rows: The baseline; its watched columns are held in memory, one is sorted at a time.
        settings: How the profile is made.
        use_case: Whose data these are.
        period: The time that the rows cover.
        columns: Those to watch; None: every number, text and boolean.

    Returns:
        The profile.

    Raises:
        ProfileUnusable: No rows, nothing to watch, no such column, infinite numbers, or a column
            of identifiers.
    """
    table = pa.Table.from_batches(list(batches(rows, columns)))
    if table.num_rows == 0:
        raise ProfileUnusable("A baseline should have rows; got none. Widen the baseline period.")
    kinds = _kinds(table.schema, columns)
    profiled = {name: _profiled(table[name], kind, name, settings) for name, kind in kinds.items()}
    return BaselineProfile(
        use_case=use_case,
        rows=table.num_rows,
        period=period,
        schema_hash=_sha256(json.dumps(kinds).encode()),
        data_hash=_sha256(
            *(_value_bytes(table[name], kind, name) for name, kind in kinds.items()),
        ),
        settings=settings,
        columns=profiled,
    )


def _kinds(schema: pa.Schema, columns: Sequence[str] | None) -> dict[str, Kind]:
    """Column to what it is watched as, sorted by name."""
    found = {field.name: kind_of(field.type) for field in schema}
    for name in columns or ():
        if name not in found:
            raise ProfileUnusable(f"{name} is no column of the data. {did_you_mean(name, found)}")
        if found[name] is None:
            raise ProfileUnusable(
                f"{name} should hold numbers, texts or booleans; it holds "
                f"{schema.field(name).type}. Make a number from it (an age in days), or leave it "
                f"out of the watched columns."
            )
    wanted = found if columns is None else {name: found[name] for name in columns}
    kinds = {name: kind for name, kind in sorted(wanted.items()) if kind is not None}
    if not kinds:
        raise ProfileUnusable(
            f"A baseline should have numbers, texts or booleans to watch; its columns are "
            f"{sorted(found)}. Name others, or add features."
        )
    return kinds


def _profiled(
    column: pa.ChunkedArray, kind: Kind, name: str, settings: ProfileSettings
) -> NumericProfile | CategoricalProfile:
    if kind == "numeric":
        return numeric_profile(_ordered(column), name, settings)
    return categorical_profile(text_counts(column), name, settings)


def numeric_profile(ordered: Numbers, name: str, settings: ProfileSettings) -> NumericProfile:
    """The distribution of a number.

    Args:
        ordered: Every value, ascending, NaN last.
        name: Of the column.
        settings: How the profile is made.

    Returns:
        Its profile.

    Raises:
        ProfileUnusable: A value is infinite.
    """
    known = ordered[: np.searchsorted(ordered, np.nan)]
    if np.isinf(known).any():
        raise ProfileUnusable(
            f"{name} should hold finite numbers in the baseline; it holds infinite ones. Make them "
            f"missing, or drop the rows."
        )
    edges = bin_edges(known, settings.bins) if len(known) else []
    deciles = np.unique(np.quantile(known, DECILES)) if len(known) else known
    points = _points(known, [*deciles, *(value for value, _ in edges)], settings.points)
    cells = number_cells(ordered, points)
    return NumericProfile(
        n=len(ordered),
        missing=len(ordered) - len(known),
        minimum=float(known[0]) if len(known) else None,
        maximum=float(known[-1]) if len(known) else None,
        mean=float(known.mean()) if len(known) else None,
        standard_deviation=float(known.std(ddof=1)) if len(known) > 1 else None,
        edges=tuple(Edge(value=value, included=included) for value, included in edges),
        deciles=tuple(deciles.tolist()),
        counts=tuple(np.add.reduceat(cells, bin_starts(points, edges))[:-1].tolist()),
        points=tuple(points.tolist()),
        cells=tuple(cells.tolist()),
    )


def _points(known: Numbers, borders: list[float], count: int) -> Numbers:
    """Borders, and quantiles that are values: between two points lie < n / `count` rows.

    Towards both ends quantiles get denser (every doubling of the rank), as the few values of a long
    tail would else count as if they were spread evenly up to the extreme.
    """
    if len(known) == 0:
        return known
    quantiles = -(-np.arange(1, count + 1) * len(known) // count) - 1
    tail = 2 ** np.arange(len(known).bit_length()) - 1
    tail = tail[tail <= len(known) // count]
    places = np.concatenate([[0], quantiles, tail, len(known) - 1 - tail])
    return np.unique(np.concatenate([known[places], borders]))


def categorical_profile(
    found: dict[str | None, int], name: str, settings: ProfileSettings
) -> CategoricalProfile:
    """The distribution of a category.

    Args:
        found: Value to rows, None for the missing.
        name: Of the column.
        settings: How the profile is made.

    Returns:
        Its profile.

    Raises:
        ProfileUnusable: So many values that these are identifiers or free text.
    """
    rows, missing = sum(found.values()), found.get(None, 0)
    ranked = sorted((-count, value) for value, count in found.items() if value is not None)
    own = [
        (value, -negative)
        for negative, value in ranked[: settings.top_values]
        if -negative >= settings.minimum_share * rows
    ]
    others = sorted(digest(value) for _, value in ranked[len(own) :])
    if len(others) > settings.known_values:
        raise ProfileUnusable(
            f"{name} should have at most {settings.known_values} rare values; it has "
            f"{len(others)} in {rows} rows, like an identifier or free text. Leave it out of the "
            f"watched columns, or raise known_values."
        )
    return CategoricalProfile(
        n=rows,
        missing=missing,
        values=tuple(value for value, _ in own),
        counts=tuple(count for _, count in own),
        other=rows - missing - sum(count for _, count in own),
        other_values=tuple(others),
    )


def _value_bytes(column: pa.ChunkedArray, kind: Kind, name: str) -> bytes:
    """A column's name and values in an order that the rows' order does not change."""
    if kind == "numeric":
        ordered = _ordered(column)
        known = ordered[: np.searchsorted(ordered, np.nan)]
        return json.dumps([name, len(ordered)]).encode() + known.tobytes()
    found = text_counts(column)
    values = sorted((value, count) for value, count in found.items() if value is not None)
    return json.dumps([name, values, found.get(None, 0)]).encode()


def _ordered(column: pa.ChunkedArray) -> Numbers:
    """The values ascending, NaN last; adding 0 makes -0, which equals 0, the same byte for byte."""
    return np.asarray(np.sort(numbers(column)) + 0.0)


def _sha256(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()
