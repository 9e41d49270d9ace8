"""One run of monitoring: from rows and what earlier runs left to everything that it writes."""

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from clientela.models.stored_model import StoredModel
from clientela.models.training_data import FeatureSchema
from clientela.pipelines.monitoring import report
from clientela.pipelines.monitoring.alerts import build_alert, send_alert
from clientela.pipelines.monitoring.baseline import (
    NEW_BASELINE,
    SHOWN_HASH,
    Baseline,
    StoredBaseline,
    StoredParts,
    collect_baseline_values,
    get_or_create_baseline,
    mask_current_rows,
)
from clientela.pipelines.monitoring.comparison import (
    Comparison,
    ComparisonPlan,
    compare_periods,
    compare_segments,
)
from clientela.pipelines.monitoring.inputs import (
    MonitoringInput,
    TrainingArtifacts,
    Window,
    assign_periods,
    build_windows,
    find_empty_periods,
)
from clientela.pipelines.monitoring.inputs import build_scored_input as scored_rows_of
from clientela.pipelines.monitoring.inputs import build_segmented_input as segmented_rows_of
from clientela.pipelines.monitoring.report import MonitoringResult
from clientela.pipelines.monitoring.report import drift_state as state_of
from clientela.pipelines.monitoring.report import format_monitoring_summary as headline_of
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.reporting.monitoring_log import LogRow, parse_log, update_log

# One run of monitoring: from rows and what earlier runs left to everything that it writes.


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
    log = parse_log(former.log)
    baseline, fresh = get_or_create_baseline(
        StoredBaseline(former.profile, former.parts), rows, settings, use_case
    )
    _log_excluded_data(rows, baseline)
    came = mask_current_rows(rows, baseline)
    values = collect_baseline_values(rows, baseline) if settings.exact else {}
    plan = ComparisonPlan(
        rows, baseline, *_assign_windows(rows, came, baseline, log, settings), settings, values
    )
    compared = compare_periods(plan, log)
    latest = compared[-1] if compared else None
    # what was measured against another baseline can't stand in one table with this
    kept = PreviousOutputs() if fresh else former
    return {
        "profile": baseline.whole.model_dump(mode="json"),
        "parts": StoredParts(baseline=baseline.whole.data_hash, parts=baseline.parts).model_dump(
            mode="json"
        ),
        "latest": report.latest_metrics(latest, settings),
        "by_period": report.merge_periods(
            kept.by_period, report.drift_by_period(compared), "drift_by_period.csv"
        ),
        "by_segment": report.merge_periods(
            kept.by_segment, report.drift_by_segment(compare_segments(plan)), "drift_by_segment.csv"
        ),
        "bins": report.bin_shares(latest, settings),
        "log": report.log_frame(update_log(log, [each.row for each in compared])),
        "findings": _collect_result(plan, latest),
    }


def _log_excluded_data(rows: MonitoringInput, baseline: Baseline) -> None:
    """Columns that the baseline does not know, and rows that have no date."""
    if rows.moment and (undated := int(rows.current[rows.moment].isna().sum())):
        logger.warning("%d rows without %s belong to no period.", undated, rows.moment)
    if unknown := sorted(set(rows.columns) - set(baseline.whole.columns)):
        logger.warning(
            "Not in the frozen baseline, so not watched: %s. To watch them: %s",
            ", ".join(unknown),
            NEW_BASELINE,
        )


def _assign_windows(
    rows: MonitoringInput,
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
        period, mode = _resolve_file_period(rows, baseline, log)
        return periods.mask(came, period), [Window(period, (period,), mode)]
    periods[came] = assign_periods(rows.current.loc[came, rows.moment], settings.period)
    sizes = periods[came].value_counts().sort_index()
    at_least = 0 if settings.same_season else settings.pooled_rows
    return periods, build_windows({str(name): int(size) for name, size in sizes.items()}, at_least)


def _resolve_file_period(
    rows: MonitoringInput, baseline: Baseline, log: Sequence[LogRow]
) -> tuple[str, str]:
    """The name of a file's period, and its mode: the same file keeps the number it first got."""
    columns = sorted(set(rows.columns) & set(rows.current))
    values = pd.util.hash_pandas_object(rows.current[columns], index=False).to_numpy()
    mode = f"file {hashlib.sha256(np.sort(values).tobytes()).hexdigest()[:SHOWN_HASH]}"
    if rows.period is not None:
        return rows.period, mode
    ours = [row for row in log if row.baseline == baseline.shown_hash]
    known = next((row.period for row in ours if row.mode == mode), None)
    return known or f"{len(ours) + 1:04d}", mode


def _collect_result(plan: ComparisonPlan, latest: Comparison | None) -> MonitoringResult:
    if latest is None:
        return MonitoringResult(plan.baseline, None)
    told = build_alert(plan.baseline.whole.use_case, latest.run, latest.judged, latest.state)
    if plan.rows.moment is None:
        return MonitoringResult(plan.baseline, latest, alert=told)
    moments = plan.rows.current[plan.rows.moment]
    measured = moments[plan.chosen(plan.windows[-1])]
    empty = find_empty_periods(moments[plan.periods.notna()], plan.settings.period)
    if empty:
        logger.warning("No rows in %s: did an extract not arrive?", ", ".join(empty))
    first, last = measured.min().isoformat(), measured.max().isoformat()
    return MonitoringResult(plan.baseline, latest, first, last, empty, told)


# Nodes of the monitoring stage: thin, in the order they run.


def collect_scored_rows(
    features: pd.DataFrame,
    scores: pd.DataFrame,
    settings: MonitoringSettings,
    labelled: pd.DataFrame | None = None,
    observed: Mapping[str, str] | None = None,
    **trained: Any,
) -> MonitoringInput:
    """The rows of a use case whose cases are scored; see `clientela.pipelines.monitoring.inputs`.

    Args:
        features: One row per case (PII), as it was scored.
        labelled: The model input, for the classes that are known by now.
        observed: First and last day of the transactions.
    """
    schema = FeatureSchema.model_validate(trained.pop("schema"))
    made = TrainingArtifacts(schema=schema, **trained)
    rows = scored_rows_of(features, scores, made, labelled, settings)
    day = None if observed is None else observed["last"]
    return replace(rows, period=rows.period or day)


def collect_segmented_rows(
    features: pd.DataFrame, export: pd.DataFrame, model: StoredModel, settings: MonitoringSettings
) -> MonitoringInput:
    """The rows of a use case with segments; see `clientela.pipelines.monitoring.inputs`."""
    return segmented_rows_of(features, export, model, settings)


def compute_drift(
    rows: MonitoringInput, former: Mapping[str, str], use_case: str, settings: MonitoringSettings
) -> dict[str, Any]:
    """Every artefact of the comparison, made whole before any is written."""
    return run_monitoring(rows, PreviousOutputs(**former), settings, use_case)


def send_alerts(
    findings: MonitoringResult, settings: MonitoringSettings
) -> tuple[dict[str, Any], dict[str, str]]:
    """The state of the model, after everybody was told; and the sentences that end the run.

    Args:
        findings: What was found; all its artefacts are written by now.
    """
    told_to: list[dict[str, Any]] = []
    if findings.alert is not None:
        logger.warning("alert %s", findings.alert.payload().decode())
        to = settings.alerts
        kinds = {"webhook": to.webhook_variable, "sns": to.sns_topic_variable}
        sent = send_alert(findings.alert, kinds, os.environ, to.deadline_seconds)
        told_to = [asdict(each) for each in sent]
    return state_of(findings, told_to), headline_of(findings)
