"""The frozen baseline: made by the first run, read by every later one.

A profile alone certifies an interval for KS that is half a percent wide; that stays what every
later run can rely on. Exact distances are possible while the rows of the baseline are still at
hand; rows are believed to be the baseline's where they give the same profile.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from clientela.exceptions import (
    ConfigurationError,
    IncompatibleDataError,
    InvalidProfileError,
    did_you_mean,
)
from clientela.pipelines.monitoring.inputs import MonitoringInput, mask_baseline_rows
from clientela.pipelines.monitoring.profile import (
    REBUILD,
    BaselineProfile,
    Numbers,
    NumericProfile,
    Period,
    build_baseline_profile,
    build_numeric_profile,
    iter_record_batches,
    read_profile,
    to_float_array,
)
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.pipelines.monitoring.statistical_tests import Distances, compute_exact_distances
from clientela.settings_base import FrozenSettings

SEASON = "month"
# Digits of a hash that people compare.
SHOWN_HASH = 12
NEW_BASELINE = "kedro run --pipelines=monitoring --params=new_baseline=true"


class PartProfile(FrozenSettings):
    """The baseline of one part of the rows.

    Attributes:
        column: What the parts are of: a watched column, or `month` of the year.
    """

    column: str
    value: str
    profile: BaselineProfile


class Baseline(FrozenSettings):
    """What the current rows are compared with.

    Attributes:
        parts: Baselines of segments and seasons, where the settings ask for them.
    """

    whole: BaselineProfile
    parts: tuple[PartProfile, ...] = ()

    @property
    def shown_hash(self) -> str:
        """What the log and people call it by."""
        return self.whole.data_hash[:SHOWN_HASH]

    def find_part(self, column: str, value: str) -> BaselineProfile | None:
        """The baseline of one part; None where there was none."""
        found = (
            each.profile for each in self.parts if (each.column, each.value) == (column, value)
        )
        return next(found, None)


class StoredParts(FrozenSettings):
    """The file of the parts.

    Attributes:
        baseline: Hash of the baseline that they are parts of.
    """

    baseline: str
    parts: tuple[PartProfile, ...]


def read_baseline(profile: str, parts: str, use_case: str) -> Baseline | None:
    """The baseline that an earlier run froze, checked; None before the first run.

    Args:
        profile: Text of the file of the whole; empty before the first run.
        parts: Text of the file of its parts, likewise.

    Raises:
        InvalidProfileError: A file is damaged, or another use case's.
    """
    if not profile:
        return None
    whole = read_profile(profile)
    if whole.use_case != use_case:
        raise InvalidProfileError(
            f"The baseline profile should be of {use_case}; it is of {whole.use_case}. "
            f"Restore the file, or make a new one: {NEW_BASELINE}"
        )
    if not parts:
        return Baseline(whole=whole)
    try:
        stored = StoredParts.model_validate_json(parts)
    except ValidationError as err:
        raise InvalidProfileError(
            "baseline_parts.json should hold the baselines of segments and seasons; it can't be "
            f"read ({err.error_count()} problem(s)). {REBUILD}"
        ) from err
    if stored.baseline != whole.data_hash:
        raise InvalidProfileError(
            "baseline_parts.json should belong to baseline_profile.json; it was made with another "
            f"one. Restore both, or make new ones: {NEW_BASELINE}"
        )
    return Baseline(whole=whole, parts=stored.parts)


def get_or_create_baseline(
    known: Baseline | None, rows: MonitoringInput, settings: MonitoringSettings, use_case: str
) -> tuple[Baseline, bool]:
    """The baseline of an earlier run, or a new one of today's rows; and whether it is new.

    Raises:
        InvalidProfileError: The frozen one has no dates where rows have some, or otherwise.
        IncompatibleDataError: A new one can't be made from the rows.
    """
    if known is None:
        return _build_baseline(rows, settings, use_case), True
    if (rows.moment is None) != (known.whole.period is None):
        dated = "dates" if rows.moment else "no dates"
        raise InvalidProfileError(
            f"The rows have {dated} to be cut by, and the frozen baseline was made otherwise. "
            f"Make a new one: {NEW_BASELINE}"
        )
    return known, False


def list_profiled_columns(rows: MonitoringInput) -> list[str]:
    """The columns that a profile holds: the target too, where rows have one."""
    return [*rows.columns, *([rows.target] if rows.target else [])]


def mask_current_rows(rows: MonitoringInput, baseline: Baseline) -> "pd.Series[bool]":
    """Which rows came after the baseline.

    Returns:
        By date where there is one. Without dates all of them or none: none when they are those of
        the baseline, and those held out beside it.
    """
    period = baseline.whole.period
    if rows.moment is not None and period is not None:
        return rows.current[rows.moment] > period.last
    made_from = rows.current if rows.baseline is None else rows.baseline
    columns = list(baseline.whole.columns)
    if absent := sorted(set(columns) - set(made_from)):
        raise IncompatibleDataError(
            f"The rows should have the columns of the baseline; {absent} are missing. Mend the "
            f"extract, or make a new baseline: {NEW_BASELINE}"
        )
    now = build_baseline_profile(
        made_from, baseline.whole.settings, use_case=baseline.whole.use_case, columns=columns
    )
    same = now.data_hash == baseline.whole.data_hash and (rows.baseline is None or not rows.new)
    return pd.Series(data=not same, index=rows.current.index)


def _build_baseline(rows: MonitoringInput, settings: MonitoringSettings, use_case: str) -> Baseline:
    frame = rows.current if rows.baseline is None else rows.baseline
    period = None
    if rows.moment is not None:
        frame = frame[mask_baseline_rows(frame[rows.moment], settings.baseline)]
        moments = frame[rows.moment]
        period = Period(first=moments.min(), last=moments.max())

    def profile(part: pd.DataFrame, columns: Sequence[str]) -> BaselineProfile:
        return build_baseline_profile(
            part, settings.profile, use_case=use_case, period=period, columns=columns
        )

    parts = [
        PartProfile(column=column, value=value, profile=profile(part, columns))
        for column, value, part, columns in _iter_baseline_parts(frame, rows, settings)
    ]
    return Baseline(whole=profile(frame, list_profiled_columns(rows)), parts=tuple(parts))


def _iter_baseline_parts(
    frame: pd.DataFrame, rows: MonitoringInput, settings: MonitoringSettings
) -> Iterable[tuple[str, str, pd.DataFrame, list[str]]]:
    """Column, value, rows and watched columns of each part that the settings ask for."""
    for name in (*settings.segments.columns, *settings.segments.features):
        if name not in rows.columns:
            raise ConfigurationError(
                f"monitoring.segments names {name}, which is no watched column. "
                f"{did_you_mean(name, rows.columns)}"
            )
    for column in settings.segments.columns:
        sizes = frame[column].value_counts()
        ranked = sorted(zip(-sizes, sizes.index.astype("str"), strict=True))
        for _, value in ranked[: settings.segments.most]:
            chosen = frame[column].astype("str") == value
            yield column, value, frame[chosen], list(settings.segments.features)
    if settings.same_season and rows.moment is not None:
        months = frame[rows.moment].dt.strftime("%m").astype("str")
        for month in sorted(set(months)):
            yield SEASON, month, frame[months == month], list_profiled_columns(rows)


logger = logging.getLogger(__name__)


def collect_baseline_values(rows: MonitoringInput, baseline: Baseline) -> dict[str, Numbers]:
    """The values of the baseline's numbers, of those columns that still hold what was profiled.

    Returns:
        Column to its values, ascending, NaN last; without those that changed since, which a
        warning names.
    """
    watched = {
        name: column
        for name, column in baseline.whole.columns.items()
        if isinstance(column, NumericProfile) and name != rows.target
    }
    held = _select_baseline_rows(rows, baseline)
    columns = [name for name in watched if held is not None and name in held]
    found = {} if held is None else _sort_columns(held, columns)
    settings = baseline.whole.settings
    same = {
        name: values
        for name, values in found.items()
        if len(values) and build_numeric_profile(values, name, settings) == watched[name]
    }
    if lost := sorted(set(watched) - set(same)):
        logger.warning(
            "No exact KS of %s: the rows of the baseline are gone or were changed since. The "
            "interval that the profile certifies stands instead.",
            ", ".join(lost),
        )
    return same


def compute_column_distances(
    values: Mapping[str, Numbers], current: pd.DataFrame
) -> dict[str, Distances]:
    """The distances of current rows from the baseline's values."""
    now = _sort_columns(current, list(values))
    return {name: compute_exact_distances(values[name], now[name]) for name in values}


def _select_baseline_rows(rows: MonitoringInput, baseline: Baseline) -> pd.DataFrame | None:
    """The rows that may be the baseline's; None where none are at hand."""
    period = baseline.whole.period
    if rows.moment is None or period is None:
        return rows.baseline
    moments = rows.current[rows.moment]
    return rows.current[(moments >= period.first) & (moments <= period.last)]


def _sort_columns(frame: pd.DataFrame, columns: list[str]) -> dict[str, Numbers]:
    if not columns:
        return {}
    table = pa.Table.from_batches(list(iter_record_batches(frame, columns)))
    return {name: np.sort(to_float_array(table[name])) for name in columns}
