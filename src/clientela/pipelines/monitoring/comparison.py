"""One period against the baseline: what moved, what it says of the model, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from clientela.pipelines.monitoring.baseline import SEASON, Baseline, compute_column_distances
from clientela.pipelines.monitoring.counting import Counts, count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import drift_table
from clientela.pipelines.monitoring.inputs import MonitoringInput, Window
from clientela.pipelines.monitoring.performance import Performance, measure_performance
from clientela.pipelines.monitoring.profile import BaselineProfile, Numbers, NumericProfile
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.pipelines.monitoring.statistical_tests import Distances
from clientela.reporting.drift_findings import assign_severity
from clientela.reporting.model_health import ModelState, evaluate_model_state, summarize_period
from clientela.reporting.monitoring_log import (
    LogRow,
    PeriodRun,
    build_log_row,
    list_past_periods,
    update_log,
)


@dataclass(frozen=True)
class Comparison:
    """One period, measured.

    Attributes:
        profile: The baseline that it was compared with.
        counted: Its rows in the cells of that baseline.
        target: Column of the class, if it is watched.
        exact: Column to the distances of the values themselves, where these were at hand.
    """

    run: PeriodRun
    profile: BaselineProfile
    counted: Counts
    judged: pd.DataFrame
    performance: Performance
    state: ModelState
    row: LogRow
    target: str | None = None
    exact: Mapping[str, Distances] = field(default_factory=dict)

    def get_profile_and_counts(self, name: str) -> tuple[BaselineProfile, Counts]:
        """The baseline and the counts of a column: of the target, among rows that have it."""
        if name == self.target:
            return drop_missing_target(self.profile, self.counted, name)
        return self.profile, self.counted


@dataclass(frozen=True)
class ComparisonPlan:
    """What is compared with what.

    Attributes:
        periods: The period of each current row; missing where a row is the baseline's.
        windows: How periods are measured, in the order of time.
        values: The baseline's own values, where exact distances are wanted and these at hand; see
            `clientela.pipelines.monitoring.baseline`.
    """

    rows: MonitoringInput
    baseline: Baseline
    periods: "pd.Series[str]"
    windows: Sequence[Window]
    settings: MonitoringSettings
    values: Mapping[str, Numbers] = field(default_factory=dict)

    def mask_window(self, window: Window) -> "pd.Series[bool]":
        """Which rows a period is measured on."""
        return self.periods.isin(window.pooled)


def compare_periods(plan: ComparisonPlan, log: Sequence[LogRow]) -> list[Comparison]:
    """Every period against the baseline, each knowing those before it."""
    comparisons: list[Comparison] = []
    for window in plan.windows:
        earlier = update_log(log, [comparison.row for comparison in comparisons])
        comparisons.append(_compare_period(plan, window, earlier))
    return comparisons


def _compare_period(plan: ComparisonPlan, window: Window, log: Sequence[LogRow]) -> Comparison:
    rows, settings, baseline = plan.rows, plan.settings, plan.baseline
    month, in_window = window.period[5:7], plan.mask_window(window)
    season = baseline.find_part(SEASON, month)
    profile = baseline.whole if season is None else season
    current = rows.current[in_window]
    counts = count_rows_by_cell(current, profile)
    # the values are those of the whole baseline, not of one season
    exact = compute_column_distances(plan.values, current) if season is None else {}
    judged = severity_table(profile, counts, rows.target, settings, exact)
    performance = measure_performance(rows, in_window, settings.performance)
    summary = summarize_period(judged, rows.importance, performance.estimated, performance.realised)
    history = list_past_periods(log, window.period)
    state = evaluate_model_state(summary, baseline.shown_hash, history, settings.state)
    run = PeriodRun(
        period=window.period,
        mode=window.mode if season is None else f"season {month}",
        baseline=baseline.shown_hash,
        n=counts.rows,
    )
    row = build_log_row(run, judged, summary, state, performance.record())
    return Comparison(run, profile, counts, judged, performance, state, row, rows.target, exact)


def severity_table(
    profile: BaselineProfile,
    counted: Counts,
    target: str | None,
    settings: MonitoringSettings,
    exact: Mapping[str, Distances] | None = None,
) -> pd.DataFrame:
    """The drift table with severities; the target is compared among the rows that have it.

    A class that is not known yet is no change of the class: labels of the latest rows come last.

    Args:
        exact: Column to the distances of the values themselves, where these are at hand.

    Returns:
        One row per column, worst first; without the target where no row has it yet.
    """
    columns = {name: column for name, column in profile.columns.items() if name != target}
    features = profile.model_copy(update={"columns": columns})
    parts = [drift_table(features, counted, settings.drift, exact)]
    if target in profile.columns:
        complete, known = drop_missing_target(profile, counted, str(target))
        if known.rows and complete.rows:
            parts.append(drift_table(complete, known, settings.drift))
    table = pd.concat(parts, ignore_index=True)
    constant = [name for name, column in profile.columns.items() if column.is_constant]
    one_value = [
        name
        for name, column in profile.columns.items()
        if name not in constant and counted.rows in column.get_single_values(counted.cells[name])
    ]
    return assign_severity(table, settings.thresholds, constant, one_value)


def drop_missing_target(
    profile: BaselineProfile, counted: Counts, target: str
) -> tuple[BaselineProfile, Counts]:
    """Baseline and counts of the target alone, without the rows whose class is not known."""
    column, cells = profile.columns[target], counted.cells[target]
    known = column.n - column.missing
    changes: dict[str, object] = {"n": known, "missing": 0}
    if isinstance(column, NumericProfile):
        changes["cells"] = (*column.cells[:-1], 0)
    complete = column.model_copy(update=changes)
    return (
        profile.model_copy(update={"rows": known, "columns": {target: complete}}),
        Counts(
            data_hash=counted.data_hash,
            rows=sum(cells[:-1]),
            cells={target: (*cells[:-1], 0)},
            ranges={name: found for name, found in counted.ranges.items() if name == target},
        ),
    )


def compare_segments(plan: ComparisonPlan) -> list[pd.DataFrame]:
    """The drift tables of each part of the rows that the settings name, period by period.

    Returns:
        Tables with severities and, at their end, `period, segment_column, segment`; a part without
        rows in a period has none.
    """
    tables = []
    for window in plan.windows:
        current = plan.rows.current[plan.mask_window(window)]
        for part in plan.baseline.parts:
            if part.column == SEASON:
                continue
            rows = current[current[part.column].astype("str") == part.value]
            if len(rows):
                counts = count_rows_by_cell(rows, part.profile)
                table = severity_table(part.profile, counts, None, plan.settings)
                labels = {"segment_column": part.column, "segment": part.value}
                tables.append(table.assign(period=window.period, **labels))
    return tables
