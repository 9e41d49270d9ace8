"""Nodes of the monitoring stage.

Everything is computed before anything is written, so that a failed run leaves no half.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from clientela.exceptions import MonitoringLogError
from clientela.pipelines.monitoring.alerts import build_alert, send_alert
from clientela.pipelines.monitoring.baseline import (
    NEW_BASELINE,
    SHOWN_HASH,
    Baseline,
    StoredParts,
    collect_baseline_values,
    get_or_create_baseline,
    mask_current_rows,
    read_baseline,
)
from clientela.pipelines.monitoring.comparison import (
    Comparison,
    ComparisonPlan,
    compare_periods,
    compare_segments,
)
from clientela.pipelines.monitoring.inputs import (
    MonitoringInput,
    SimulatedRows,
    Window,
    assign_periods,
    build_windows,
    find_empty_periods,
)
from clientela.pipelines.monitoring.report import (
    MonitoringResult,
    bin_shares,
    drift_by_period,
    drift_by_segment,
    drift_state,
    format_monitoring_summary,
    latest_metrics,
)
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.reporting.monitoring_log import LogRow, build_log_table, parse_log, update_log

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreviousOutputs:
    """What earlier runs left, as text; empty before the first run."""

    profile: str = ""
    parts: str = ""
    log: str = ""
    by_period: str = ""
    by_segment: str = ""


def run_monitoring(
    rows: MonitoringInput, former: PreviousOutputs, settings: MonitoringSettings, use_case: str
) -> dict[str, Any]:
    """Everything that monitoring writes; nothing is written where this fails.

    Returns:
        `profile`, `parts`, `latest`, `by_period`, `by_segment`, `bins`, `log`, `findings`.
    """
    try:
        log = parse_log(former.log)
    except MonitoringLogError as err:
        raise MonitoringLogError(
            f"{use_case}/drift/monitoring_log.csv: {err} The other models are monitored meanwhile "
            "by kedro run --pipelines=monitoring --tags=<use case>."
        ) from err
    known = None
    if not settings.new_baseline:
        known = read_baseline(former.profile, former.parts, use_case)
    baseline, is_new = get_or_create_baseline(known, rows, settings, use_case)
    if rows.moment and (undated := int(rows.current[rows.moment].isna().sum())):
        logger.warning("%d rows without %s belong to no period.", undated, rows.moment)
    if unknown := sorted(set(rows.columns) - set(baseline.whole.columns)):
        names = ", ".join(unknown)
        logger.warning(
            "Not in the frozen baseline, so not watched: %s. To watch them: %s", names, NEW_BASELINE
        )
    values = collect_baseline_values(rows, baseline) if settings.exact else {}
    periods, windows = _assign_windows(rows, baseline, log, settings)
    plans = [ComparisonPlan(rows, baseline, periods, windows, settings, values)]
    comparisons = compare_periods(plans[0], log)
    for simulated in rows.simulated:
        earlier = update_log(log, [comparison.row for comparison in comparisons])
        plans.append(plan_simulated_period(plans[0], simulated, earlier))
        comparisons += compare_periods(plans[-1], earlier)
    latest = comparisons[-1] if comparisons else None
    # what was measured against another baseline can't stand in one table with this
    history = PreviousOutputs() if is_new else former
    parts = StoredParts(baseline=baseline.whole.data_hash, parts=baseline.parts)
    return {
        "profile": baseline.whole.model_dump(mode="json"),
        "parts": parts.model_dump(mode="json"),
        "latest": latest_metrics(latest, settings),
        "by_period": drift_by_period(history.by_period, comparisons),
        "by_segment": drift_by_segment(
            history.by_segment, [table for plan in plans for table in compare_segments(plan)]
        ),
        "bins": bin_shares(latest, settings),
        "log": build_log_table(update_log(log, [comparison.row for comparison in comparisons])),
        "findings": _collect_result(plans, latest),
    }


def plan_simulated_period(
    real: ComparisonPlan, simulated: SimulatedRows, log: Sequence[LogRow]
) -> ComparisonPlan:
    """How a simulated period is compared: by itself, as one file that the model never saw."""
    frame, of = simulated.rows, real.rows
    if of.target is not None and of.target not in frame:
        # where labels are made, nobody knows them of these rows
        frame = frame.assign(**{of.target: pd.Series(None, index=frame.index, dtype="str")})
    rows = replace(of, current=frame, unseen=np.ones(len(frame), dtype=np.bool_))
    if of.moment is not None:
        period = str(assign_periods(frame[of.moment], real.settings.period).max())
    else:
        period = simulated.period or _number_file(log, real.baseline, simulated.mode)
    window = Window(period, (period,), simulated.mode)
    periods = pd.Series(period, index=frame.index, dtype="str")
    return replace(real, rows=rows, periods=periods, windows=[window])


def _assign_windows(
    rows: MonitoringInput, baseline: Baseline, log: Sequence[LogRow], settings: MonitoringSettings
) -> tuple["pd.Series[str]", list[Window]]:
    """The period of each current row, missing for the others; and how each is measured."""
    is_current = mask_current_rows(rows, baseline)
    periods = pd.Series(None, index=rows.current.index, dtype="str")
    if not is_current.any():
        return periods, []
    if rows.moment is not None:
        moments = rows.current.loc[is_current, rows.moment]
        periods[is_current] = assign_periods(moments, settings.period)
        sizes = periods[is_current].value_counts().sort_index()
        at_least = 0 if settings.same_season else settings.pooled_rows
        return periods, build_windows({str(k): int(n) for k, n in sizes.items()}, at_least)
    # the same file keeps the number it first got, so its mode is a hash of its rows in any order
    columns = sorted(set(rows.columns) & set(rows.current))
    hashes = pd.util.hash_pandas_object(rows.current[columns], index=False).to_numpy()
    mode = f"file {hashlib.sha256(np.sort(hashes).tobytes()).hexdigest()[:SHOWN_HASH]}"
    period = rows.period or _number_file(log, baseline, mode)
    return periods.mask(is_current, period), [Window(period, (period,), mode)]


def _number_file(log: Sequence[LogRow], baseline: Baseline, mode: str) -> str:
    """The number that a file without dates got before, or the next one."""
    ours = [row for row in log if row.baseline == baseline.shown_hash]
    known = (row.period for row in ours if row.mode == mode)
    return next(known, f"{len(ours) + 1:04d}")


def _collect_result(plans: Sequence[ComparisonPlan], latest: Comparison | None) -> MonitoringResult:
    baseline = plans[0].baseline
    if latest is None:
        return MonitoringResult(baseline, None)
    alert = build_alert(baseline.whole.use_case, latest.run, latest.judged, latest.state)
    plan = next(plan for plan in reversed(plans) if plan.windows)
    if plan.rows.moment is None:
        return MonitoringResult(baseline, latest, alert=alert)
    measured = plan.rows.current.loc[plan.mask_window(plan.windows[-1]), plan.rows.moment]
    real = plans[0]
    moments = real.rows.current.loc[real.periods.notna(), str(real.rows.moment)]
    gaps = find_empty_periods(moments, plan.settings.period) if len(moments) else []
    if gaps:
        logger.warning("No rows in %s: did an extract not arrive?", ", ".join(gaps))
    first, last = measured.min().isoformat(), measured.max().isoformat()
    return MonitoringResult(baseline, latest, first, last, gaps, alert)


def send_alerts(
    findings: MonitoringResult, settings: MonitoringSettings
) -> tuple[dict[str, Any], dict[str, str]]:
    """The state of the model, after the alert was sent; and the sentences that end the run.

    Args:
        findings: What was found; all its artefacts are written by now.
    """
    deliveries: list[dict[str, Any]] = []
    if findings.alert is not None:
        logger.warning("alert %s", findings.alert.payload().decode())
        addresses = settings.alerts
        variables = {"webhook": addresses.webhook_variable, "sns": addresses.sns_topic_variable}
        sent = send_alert(findings.alert, variables, os.environ, addresses.deadline_seconds)
        deliveries = [asdict(delivery) for delivery in sent]
    return drift_state(findings, deliveries), format_monitoring_summary(findings)
