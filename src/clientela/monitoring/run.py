"""One run of monitoring: from rows and what earlier runs left to everything that it writes."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clientela.drift.alerts import alert
from clientela.drift.log import parsed_log, updated_log
from clientela.drift.log_row import LogRow
from clientela.monitoring import tables
from clientela.monitoring.baseline import (
    NEW_BASELINE,
    SHOWN_HASH,
    Baseline,
    StoredBaseline,
    StoredParts,
    current_rows,
    frozen_baseline,
)
from clientela.monitoring.comparison import Comparison, Plan, comparisons, segment_tables
from clientela.monitoring.exact import baseline_values
from clientela.monitoring.periods import Window, gaps, period_names, windows
from clientela.monitoring.report import Findings
from clientela.monitoring.rows import MonitoredRows
from clientela.monitoring.settings import MonitoringSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Former:
    """What earlier runs left, as text; empty before the first run.

    Attributes:
        profile: Of `baseline_profile.json`.
        parts: Of `baseline_parts.json`.
        log: Of `monitoring_log.csv`.
        by_period: Of `drift_by_period.csv`.
        by_segment: Of `drift_by_segment.csv`.
    """

    profile: str = ""
    parts: str = ""
    log: str = ""
    by_period: str = ""
    by_segment: str = ""


def monitored(
    rows: MonitoredRows, former: Former, settings: MonitoringSettings, use_case: str
) -> dict[str, Any]:
    """Everything that monitoring writes; nothing is written where this fails.

    Args:
        rows: Today's rows.
        former: What earlier runs left.
        settings: What may vary.
        use_case: Whose.

    Returns:
        `profile`, `parts`, `latest`, `by_period`, `by_segment`, `bins`, `log`, `findings`.
    """
    log = parsed_log(former.log)
    baseline, fresh = frozen_baseline(
        StoredBaseline(former.profile, former.parts), rows, settings, use_case
    )
    _tell_of_left_out(rows, baseline)
    came = current_rows(rows, baseline)
    values = baseline_values(rows, baseline) if settings.exact else {}
    plan = Plan(rows, baseline, *_periods(rows, came, baseline, log, settings), settings, values)
    compared = comparisons(plan, log)
    latest = compared[-1] if compared else None
    # what was measured against another baseline can't stand in one table with this
    kept = Former() if fresh else former
    return {
        "profile": baseline.whole.model_dump(mode="json"),
        "parts": StoredParts(baseline=baseline.whole.data_hash, parts=baseline.parts).model_dump(
            mode="json"
        ),
        "latest": tables.latest_metrics(latest, settings),
        "by_period": tables.continued(
            kept.by_period, tables.by_period(compared), "drift_by_period.csv"
        ),
        "by_segment": tables.continued(
            kept.by_segment, tables.by_segment(segment_tables(plan)), "drift_by_segment.csv"
        ),
        "bins": tables.bin_shares(latest, settings),
        "log": tables.log_frame(updated_log(log, [each.row for each in compared])),
        "findings": _findings(plan, latest),
    }


def _tell_of_left_out(rows: MonitoredRows, baseline: Baseline) -> None:
    """Columns that the baseline does not know, and rows that have no date."""
    if rows.moment and (undated := int(rows.current[rows.moment].isna().sum())):
        logger.warning("%d rows without %s belong to no period.", undated, rows.moment)
    if unknown := sorted(set(rows.columns) - set(baseline.whole.columns)):
        logger.warning(
            "Not in the frozen baseline, so not watched: %s. To watch them: %s",
            ", ".join(unknown),
            NEW_BASELINE,
        )


def _periods(
    rows: MonitoredRows,
    came: "pd.Series[bool]",
    baseline: Baseline,
    log: Sequence[LogRow],
    settings: MonitoringSettings,
) -> tuple["pd.Series[str]", list[Window]]:
    """The period of each current row, missing for the others; and how each is measured."""
    periods = pd.Series(None, index=rows.current.index, dtype="str")
    if not came.any():
        return periods, []
    if rows.moment is None:
        period, mode = _file_period(rows, baseline, log)
        return periods.mask(came, period), [Window(period, (period,), mode)]
    periods[came] = period_names(rows.current.loc[came, rows.moment], settings.period)
    sizes = periods[came].value_counts().sort_index()
    at_least = 0 if settings.same_season else settings.pooled_rows
    return periods, windows({str(name): int(size) for name, size in sizes.items()}, at_least)


def _file_period(rows: MonitoredRows, baseline: Baseline, log: Sequence[LogRow]) -> tuple[str, str]:
    """The name of a file's period, and its mode: the same file keeps the number it first got."""
    columns = sorted(set(rows.columns) & set(rows.current))
    values = pd.util.hash_pandas_object(rows.current[columns], index=False).to_numpy()
    mode = f"file {hashlib.sha256(np.sort(values).tobytes()).hexdigest()[:SHOWN_HASH]}"
    if rows.period is not None:
        return rows.period, mode
    ours = [row for row in log if row.baseline == baseline.shown_hash]
    known = next((row.period for row in ours if row.mode == mode), None)
    return known or f"{len(ours) + 1:04d}", mode


def _findings(plan: Plan, latest: Comparison | None) -> Findings:
    if latest is None:
        return Findings(plan.baseline, None)
    told = alert(plan.baseline.whole.use_case, latest.run, latest.judged, latest.state)
    if plan.rows.moment is None:
        return Findings(plan.baseline, latest, alert=told)
    moments = plan.rows.current[plan.rows.moment]
    measured = moments[plan.chosen(plan.windows[-1])]
    empty = gaps(moments[plan.periods.notna()], plan.settings.period)
    if empty:
        logger.warning("No rows in %s: did an extract not arrive?", ", ".join(empty))
    first, last = measured.min().isoformat(), measured.max().isoformat()
    return Findings(plan.baseline, latest, first, last, empty, told)
