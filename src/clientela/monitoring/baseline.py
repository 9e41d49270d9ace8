"""The frozen baseline: made by the first run, read by every later one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from clientela.drift.profile import REBUILD, BaselineProfile, Period, read_profile
from clientela.drift.profiling import baseline_profile
from clientela.exceptions import (
    ConfigurationError,
    CurrentDataUnfit,
    ProfileUnusable,
    did_you_mean,
)
from clientela.monitoring.periods import baseline_rows
from clientela.monitoring.rows import MonitoredRows
from clientela.monitoring.settings import MonitoringSettings

SEASON = "month"
SHOWN_HASH = 12
"""Digits of a hash that people compare."""
NEW_BASELINE = "kedro run --pipelines=monitoring --params=new_baseline=true"


class PartProfile(BaseModel):
    """The baseline of one part of the rows.

    Attributes:
        column: What the parts are of: a watched column, or `month` of the year.
        value: Which part.
        profile: Its baseline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    value: str
    profile: BaselineProfile


class Baseline(BaseModel):
    """What the current rows are compared with.

    Attributes:
        whole: The baseline of all rows.
        parts: Baselines of segments and seasons, where the settings ask for them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    whole: BaselineProfile
    parts: tuple[PartProfile, ...] = ()

    @property
    def shown_hash(self) -> str:
        """What the log and people call it by."""
        return self.whole.data_hash[:SHOWN_HASH]

    def part(self, column: str, value: str) -> BaselineProfile | None:
        """The baseline of one part; None where there was none."""
        found = (
            each.profile for each in self.parts if (each.column, each.value) == (column, value)
        )
        return next(found, None)


class StoredParts(BaseModel):
    """The file of the parts.

    Attributes:
        baseline: Hash of the baseline that they are parts of.
        parts: They.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    baseline: str
    parts: tuple[PartProfile, ...]


@dataclass(frozen=True)
class StoredBaseline:
    """What an earlier run froze, as text; empty before the first run.

    Attributes:
        whole: Of `baseline_profile.json`.
        parts: Of `baseline_parts.json`.
    """

    whole: str = ""
    parts: str = ""

    def read(self, use_case: str) -> Baseline | None:
        """The frozen baseline, checked.

        Args:
            use_case: Whose it should be.

        Returns:
            None before the first run.

        Raises:
            ProfileUnusable: A file is damaged, or another use case's.
        """
        if not self.whole:
            return None
        whole = read_profile(self.whole)
        if whole.use_case != use_case:
            raise ProfileUnusable(
                f"The baseline profile should be of {use_case}; it is of {whole.use_case}. "
                f"Restore the file, or make a new one: {NEW_BASELINE}"
            )
        return Baseline(whole=whole, parts=self._parts(whole))

    def _parts(self, whole: BaselineProfile) -> tuple[PartProfile, ...]:
        if not self.parts:
            return ()
        try:
            stored = StoredParts.model_validate_json(self.parts)
        except ValidationError as err:
            raise ProfileUnusable(
                "baseline_parts.json should hold the baselines of segments and seasons; it can't "
                f"be read ({err.error_count()} problem(s)). {REBUILD}"
            ) from err
        if stored.baseline != whole.data_hash:
            raise ProfileUnusable(
                "baseline_parts.json should belong to baseline_profile.json; it was made with "
                f"another one. Restore both, or make new ones: {NEW_BASELINE}"
            )
        return stored.parts


def frozen_baseline(
    stored: StoredBaseline, rows: MonitoredRows, settings: MonitoringSettings, use_case: str
) -> tuple[Baseline, bool]:
    """The baseline of an earlier run, or a new one of today's rows.

    Args:
        stored: What an earlier run froze.
        rows: Today's rows.
        settings: How a baseline is made.
        use_case: Whose.

    Returns:
        The baseline, and whether it was made now.

    Raises:
        ProfileUnusable: The frozen one is damaged, foreign, or has no dates where rows have some.
        CurrentDataUnfit: A new one can't be made from the rows.
    """
    known = None if settings.new_baseline else stored.read(use_case)
    if known is None:
        return _made(rows, settings, use_case), True
    if (rows.moment is None) != (known.whole.period is None):
        dated = "dates" if rows.moment else "no dates"
        raise ProfileUnusable(
            f"The rows have {dated} to be cut by, and the frozen baseline was made otherwise. "
            f"Make a new one: {NEW_BASELINE}"
        )
    return known, False


def watched(rows: MonitoredRows) -> list[str]:
    """The columns that a profile holds: the target too, where rows have one."""
    return [*rows.columns, *([rows.target] if rows.target else [])]


def current_rows(rows: MonitoredRows, baseline: Baseline) -> "pd.Series[bool]":
    """Which rows came after the baseline.

    Args:
        rows: Today's rows.
        baseline: The frozen baseline.

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
        raise CurrentDataUnfit(
            f"The rows should have the columns of the baseline; {absent} are missing. Mend the "
            f"extract, or make a new baseline: {NEW_BASELINE}"
        )
    now = baseline_profile(
        made_from, baseline.whole.settings, use_case=baseline.whole.use_case, columns=columns
    )
    same = now.data_hash == baseline.whole.data_hash and (rows.baseline is None or not rows.new)
    return pd.Series(data=not same, index=rows.current.index)


def _made(rows: MonitoredRows, settings: MonitoringSettings, use_case: str) -> Baseline:
    frame = rows.current if rows.baseline is None else rows.baseline
    period = None
    if rows.moment is not None:
        frame = frame[baseline_rows(frame[rows.moment], settings.baseline)]
        moments = frame[rows.moment]
        period = Period(first=moments.min(), last=moments.max())

    def profile(part: pd.DataFrame, columns: Sequence[str]) -> BaselineProfile:
        return baseline_profile(
            part, settings.profile, use_case=use_case, period=period, columns=columns
        )

    parts = [
        PartProfile(column=column, value=value, profile=profile(part, columns))
        for column, value, part, columns in _wanted_parts(frame, rows, settings)
    ]
    return Baseline(whole=profile(frame, watched(rows)), parts=tuple(parts))


def _wanted_parts(
    frame: pd.DataFrame, rows: MonitoredRows, settings: MonitoringSettings
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
        months = season(frame[rows.moment])
        for month in sorted(set(months)):
            yield SEASON, month, frame[months == month], watched(rows)


def season(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    """The month of the year of each row, `01` to `12`."""
    return moments.dt.strftime("%m").astype("str")
