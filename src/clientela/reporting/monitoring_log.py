"""The log of monitoring: what was found and recommended, one row per period and baseline.

Figures are rounded when they are made, so that earlier rows are written back to the last byte. A
rerun of a period replaces its own row. A file that was cut short, or that something else wrote, is
refused: nothing is appended to it, and nothing in it is lost.
"""

import csv
import io
import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from pydantic import Field, ValidationError, field_validator

from clientela.exceptions import MonitoringLogError
from clientela.reporting.model_health import (
    Change,
    Level,
    ModelState,
    PastPeriod,
    PeriodSummary,
    Recommendation,
    State,
)
from clientela.settings_base import FrozenSettings

# Of figures in the log; beyond that they are noise.
DECIMALS = 6
# How the mode of a period begins that data_generation made.
SIMULATED = "simulated"
ISO_PERIOD = r"^\d{4}(-(\d{2}(-\d{2})?|Q[1-4]|W\d{2}))?$"


class LogRow(FrozenSettings):
    """One period of one model against one baseline; the columns of the log, in their order.

    Attributes:
        period: ISO, so that the order of names is that of time: `2024-05`, `2024-05-17`, `2024-Q2`.
        avg_psi: Mean PSI of the columns; None where none was measured.
        pct_red: Percentage of columns that are ROJO, 0..100.
        red_features: The ROJO columns, worst first, joined by `;`.
        measure: By which performance is judged; empty where none is.
    """

    period: str = Field(pattern=ISO_PERIOD)
    avg_psi: float | None
    pct_red: float = Field(ge=0, le=100)
    mode: str = Field(min_length=1)
    baseline: str = Field(min_length=1)
    n: int = Field(ge=0)
    red: int
    yellow: int
    insufficient: int
    red_features: str
    weighted_psi: float | None
    red_share: float
    measure: str
    estimated: float | None
    realised: float | None
    n_realised: int
    estimated_change: Change
    realised_change: Change
    level: Level
    state: State
    recommendation: Recommendation
    reasons: str

    @field_validator("avg_psi", "weighted_psi", "estimated", "realised", mode="before")
    @classmethod
    def _parse_empty_cell(cls, value: object) -> object:
        return None if value == "" else value

    def cells(self) -> list[str]:
        """The row as it stands in the file."""
        values = self.model_dump().values()
        return ["" if value is None else str(value) for value in values]

    def to_past_period(self) -> PastPeriod:
        """What later periods need to know of this one."""
        return PastPeriod(
            baseline=self.baseline,
            level=self.level,
            state=self.state,
            recommendation=self.recommendation,
        )


LOG_COLUMNS: tuple[str, ...] = tuple(LogRow.model_fields)


class PeriodRun(FrozenSettings):
    """Which period was measured, against what."""

    period: str = Field(pattern=ISO_PERIOD)
    mode: str = Field(min_length=1)
    baseline: str = Field(min_length=1)
    n: int = Field(ge=0)


class PerformanceRecord(FrozenSettings):
    """The performance of one period by one measure.

    Attributes:
        measure: Its name; empty where the model is judged by none.
    """

    measure: str = ""
    estimated: float | None = None
    realised: float | None = None
    n_realised: int = 0


def build_log_row(
    run: PeriodRun,
    judged: pd.DataFrame,
    evidence: PeriodSummary,
    state: ModelState,
    performance: PerformanceRecord,
) -> LogRow:
    """The row that a period leaves in the log."""
    severity = judged["severity"]
    red = judged.loc[severity == "ROJO", "feature"]
    return LogRow(
        **run.model_dump(),
        measure=performance.measure,
        estimated=round_metric(performance.estimated),
        realised=round_metric(performance.realised),
        n_realised=performance.n_realised,
        avg_psi=round_metric(judged["psi"].mean()),
        pct_red=round(100 * len(red) / max(len(judged), 1), DECIMALS),
        red=len(red),
        yellow=int((severity == "AMARILLO").sum()),
        insufficient=int((severity == "INSUFICIENTE").sum()),
        red_features=";".join(red),
        weighted_psi=round_metric(evidence.weighted_psi),
        red_share=round(evidence.red_share, DECIMALS),
        estimated_change=evidence.estimated,
        realised_change=evidence.realised,
        level=state.level,
        state=state.state,
        recommendation=state.recommendation,
        reasons=";".join(state.reasons),
    )


def round_metric(value: float | None) -> float | None:
    """A figure as the log and alerts hold it."""
    return None if value is None or math.isnan(value) else round(float(value), DECIMALS)


def parse_log(text: str) -> list[LogRow]:
    """One row per period and baseline, in the order of time, from the text of the log.

    Raises:
        MonitoringLogError: It was cut short, or is no log of ours.
    """
    if not text:
        return []
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    _check_log_header(header)
    if not text.endswith("\n"):
        raise _make_log_error(
            "a file that ends with a line break", "its last line stops in the middle"
        )
    rows = [_parse_log_row(cells, number) for number, cells in enumerate(lines, start=2)]
    for earlier, later in pairwise(rows):
        if _get_log_key(earlier) >= _get_log_key(later):
            raise _make_log_error(
                "each period once per baseline, in the order of time",
                f"{later.period} after {earlier.period}",
            )
    return rows


def update_log(log: Sequence[LogRow], new: Sequence[LogRow]) -> list[LogRow]:
    """The log with new periods in it, in the order of time.

    A new row takes the place of one of the same period and baseline, so that a rerun leaves what
    the run left. Later periods keep what was decided in them.
    """
    rows = {_get_log_key(row): row for row in (*log, *new)}
    return [rows[key] for key in sorted(rows)]


def build_log_table(log: Sequence[LogRow]) -> pd.DataFrame:
    """One row per period and baseline: texts, so that a CSV writer adds nothing of its own."""
    return pd.DataFrame([row.cells() for row in log], columns=list(LOG_COLUMNS), dtype="str")


def list_past_periods(log: Sequence[LogRow], period: str) -> list[PastPeriod]:
    """What was decided before a period, oldest first; simulated periods decide nothing.

    Args:
        period: Neither it nor what follows it is looked at, so that a rerun decides alike.
    """
    return [
        row.to_past_period()
        for row in log
        if row.period < period and not row.mode.startswith(SIMULATED)
    ]


def _get_log_key(row: LogRow) -> tuple[str, str]:
    return row.period, row.baseline


def _check_log_header(header: Sequence[str]) -> None:
    if tuple(header) == LOG_COLUMNS:
        return
    cut = LOG_COLUMNS[: len(header) - 1] == tuple(header[:-1])
    came = ",".join(header)[:200]
    raise _make_log_error(
        f"the columns {','.join(LOG_COLUMNS)}",
        f"only the beginning of them: {came}" if cut else f"{came}",
    )


def _parse_log_row(cells: Sequence[str], line: int) -> LogRow:
    if len(cells) != len(LOG_COLUMNS):
        raise _make_log_error(
            f"{len(LOG_COLUMNS)} cells in each line", f"{len(cells)} in line {line}"
        )
    try:
        return LogRow.model_validate(dict(zip(LOG_COLUMNS, cells, strict=True)))
    except ValidationError as err:
        names = ", ".join(str(each["loc"][0]) for each in err.errors())
        raise _make_log_error(
            "cells that monitoring writes", f"others in line {line}: {names}"
        ) from err


def _make_log_error(expected: str, came: str) -> MonitoringLogError:
    return MonitoringLogError(
        f"The monitoring log can't be continued: expected {expected}, but got {came}. It was left "
        "as it is. Restore it from a copy, or move it away to begin a new one."
    )
