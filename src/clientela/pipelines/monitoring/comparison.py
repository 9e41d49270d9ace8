"""One period against the baseline: what moved, what it says of the model, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from clientela.pipelines.monitoring.baseline import (
    SEASON,
    Baseline,
    PartProfile,
    compute_column_distances,
)
from clientela.pipelines.monitoring.binning import Numbers
from clientela.pipelines.monitoring.counting import Counts, count_rows_by_cell
from clientela.pipelines.monitoring.distances import Distances
from clientela.pipelines.monitoring.drift_table import drift_table
from clientela.pipelines.monitoring.inputs import MonitoringInput, Window
from clientela.pipelines.monitoring.performance import Performance, measure_performance
from clientela.pipelines.monitoring.profile import (
    BaselineProfile,
    CategoricalProfile,
    NumericProfile,
)
from clientela.pipelines.monitoring.settings import MonitoringSettings
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
        run: Which period, against what.
        profile: The baseline that it was compared with.
        counted: Its rows in the cells of that baseline.
        judged: The drift table with severities.
        performance: How good the model was.
        row: What the log keeps.
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

    def chosen(self, window: Window) -> "pd.Series[bool]":
        """Which rows a period is measured on."""
        return self.periods.isin(window.pooled)


def compare_periods(plan: ComparisonPlan, log: Sequence[LogRow]) -> list[Comparison]:
    """Every period against the baseline, each knowing those before it.

    Returns:
        One per period, in the order of time.
    """
    made: list[Comparison] = []
    for window in plan.windows:
        made.append(_compare_period(plan, window, update_log(log, [each.row for each in made])))
    return made


def _compare_period(plan: ComparisonPlan, window: Window, log: Sequence[LogRow]) -> Comparison:
    rows, settings = plan.rows, plan.settings
    profile, mode = _select_baseline(window, plan.baseline)
    current = rows.current[plan.chosen(window)]
    counted = count_rows_by_cell(current, profile)
    # the values are those of the whole baseline, not of one season
    exact = compute_column_distances(plan.values, current) if profile is plan.baseline.whole else {}
    judged = severity_table(profile, counted, rows.target, settings, exact)
    measured = measure_performance(rows, plan.chosen(window), settings.performance)
    evidence = summarize_period(judged, rows.importance, measured.estimated, measured.realised)
    hash_ = plan.baseline.shown_hash
    state = evaluate_model_state(
        evidence, hash_, list_past_periods(log, window.period), settings.state
    )
    run = PeriodRun(period=window.period, mode=mode, baseline=hash_, n=counted.rows)
    row = build_log_row(run, judged, evidence, state, measured.record())
    return Comparison(run, profile, counted, judged, measured, state, row, rows.target, exact)


def _select_baseline(window: Window, baseline: Baseline) -> tuple[BaselineProfile, str]:
    """The same season's baseline where there is one, else the whole; and how the log calls it."""
    month = window.period[5:7]
    same = baseline.find_part(SEASON, month)
    return (baseline.whole, window.mode) if same is None else (same, f"season {month}")


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
        target: Column of the class, if it is watched.
        settings: How to compare, and what counts.
        exact: Column to the distances of the values themselves, where these are at hand.

    Returns:
        One row per column, worst first; without the target where no row has it yet.
    """
    features = _select_profile_columns(
        profile, [name for name in profile.columns if name != target]
    )
    parts = [drift_table(features, counted, settings.drift, exact)]
    if target in profile.columns:
        complete, known = drop_missing_target(profile, counted, str(target))
        if known.rows and complete.rows:
            parts.append(drift_table(complete, known, settings.drift))
    table = pd.concat(parts, ignore_index=True)
    constant = [name for name, column in profile.columns.items() if _is_constant(column)]
    return assign_severity(table, settings.thresholds, constant)


def _select_profile_columns(profile: BaselineProfile, names: Sequence[str]) -> BaselineProfile:
    return profile.model_copy(update={"columns": {name: profile.columns[name] for name in names}})


def drop_missing_target(
    profile: BaselineProfile, counted: Counts, target: str
) -> tuple[BaselineProfile, Counts]:
    """Baseline and counts of the target alone, without the rows whose class is not known.

    Returns:
        Both for one column, without missing values.
    """
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


def _is_constant(column: NumericProfile | CategoricalProfile) -> bool:
    if isinstance(column, NumericProfile):
        return column.minimum is not None and column.minimum == column.maximum
    return len(column.values) == 1 and column.other == 0


def compare_segments(plan: ComparisonPlan) -> list[pd.DataFrame]:
    """The drift tables of each part of the rows that the settings name, period by period.

    Returns:
        Tables with severities and, before them, `period, segment_column, segment`; a part without
        rows in a period has none.
    """
    parts = [part for part in plan.baseline.parts if part.column != SEASON]
    return [
        _compare_segment(part, ours, window.period, plan.settings)
        for window in plan.windows
        for part in parts
        for current in [plan.rows.current[plan.chosen(window)]]
        for ours in [current[current[part.column].astype("str") == part.value]]
        if len(ours)
    ]


def _compare_segment(
    part: PartProfile, ours: pd.DataFrame, period: str, settings: MonitoringSettings
) -> pd.DataFrame:
    judged = severity_table(part.profile, count_rows_by_cell(ours, part.profile), None, settings)
    return judged.assign(period=period, segment_column=part.column, segment=part.value)
