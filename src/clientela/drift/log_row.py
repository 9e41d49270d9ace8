"""The row that one period leaves in the log of monitoring."""

import math

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from clientela.drift.evidence import Change, Level, PeriodEvidence
from clientela.drift.state import ModelState, PastPeriod, Recommendation, State

DECIMALS = 6
"""Of figures in the log; beyond that they are noise."""
ISO_PERIOD = r"^\d{4}(-(\d{2}(-\d{2})?|Q[1-4]|W\d{2}))?$"


class LogRow(BaseModel):
    """One period of one model against one baseline; the columns of the log, in their order.

    Attributes:
        period: ISO, so that the order of names is that of time: `2024-05`, `2024-05-17`, `2024-Q2`.
        avg_psi: Mean PSI of the columns; None where none was measured.
        pct_red: Percentage of columns that are ROJO, 0..100.
        mode: How the period was measured.
        baseline: Hash of the baseline profile.
        n: Rows of the period.
        red: Columns that are ROJO.
        yellow: Columns that are AMARILLO.
        insufficient: Columns that are INSUFICIENTE.
        red_features: The ROJO columns, worst first, joined by `;`.
        weighted_psi: Mean PSI weighted by importance.
        red_share: Share of importance in ROJO columns.
        measure: By which performance is judged; empty where none is.
        estimated: Its value estimated without labels.
        realised: Its value on mature labels.
        n_realised: Rows with mature labels.
        estimated_change: `fell`, `held` or `unknown`.
        realised_change: The same with labels.
        level: Of the period alone.
        state: Of the model after it.
        recommendation: What to do.
        reasons: Codes, joined by `;`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    def _empty_is_unknown(cls, value: object) -> object:
        return None if value == "" else value

    def cells(self) -> list[str]:
        """The row as it stands in the file."""
        values = self.model_dump().values()
        return ["" if value is None else str(value) for value in values]

    def as_past(self) -> PastPeriod:
        """What later periods need to know of this one."""
        return PastPeriod(
            baseline=self.baseline,
            level=self.level,
            state=self.state,
            recommendation=self.recommendation,
        )


LOG_COLUMNS: tuple[str, ...] = tuple(LogRow.model_fields)


class PeriodRun(BaseModel):
    """Which period was measured, against what.

    Attributes:
        period: ISO.
        mode: How it was measured.
        baseline: Hash of the baseline profile.
        n: Rows of the period.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: str = Field(pattern=ISO_PERIOD)
    mode: str = Field(min_length=1)
    baseline: str = Field(min_length=1)
    n: int = Field(ge=0)


class PerformanceRecord(BaseModel):
    """The performance of one period by one measure.

    Attributes:
        measure: Its name; empty where the model is judged by none.
        estimated: Estimated without labels.
        realised: On mature labels.
        n_realised: How many of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = ""
    estimated: float | None = None
    realised: float | None = None
    n_realised: int = 0


def log_row(
    run: PeriodRun,
    judged: pd.DataFrame,
    evidence: PeriodEvidence,
    state: ModelState,
    performance: PerformanceRecord,
) -> LogRow:
    """The row that a period leaves in the log.

    Args:
        run: Which period, against what.
        judged: The drift table with severities, worst first.
        evidence: What it says about the model.
        state: What follows.
        performance: How good the model was.

    Returns:
        One row; figures to six decimals.
    """
    severity = judged["severity"]
    red = judged.loc[severity == "ROJO", "feature"]
    return LogRow(
        **run.model_dump(),
        measure=performance.measure,
        estimated=rounded(performance.estimated),
        realised=rounded(performance.realised),
        n_realised=performance.n_realised,
        avg_psi=rounded(judged["psi"].mean()),
        pct_red=round(100 * len(red) / max(len(judged), 1), DECIMALS),
        red=len(red),
        yellow=int((severity == "AMARILLO").sum()),
        insufficient=int((severity == "INSUFICIENTE").sum()),
        red_features=";".join(red),
        weighted_psi=rounded(evidence.weighted_psi),
        red_share=round(evidence.red_share, DECIMALS),
        estimated_change=evidence.estimated,
        realised_change=evidence.realised,
        level=state.level,
        state=state.state,
        recommendation=state.recommendation,
        reasons=";".join(state.reasons),
    )


def rounded(value: float | None) -> float | None:
    """A figure as the log and alerts hold it.

    Args:
        value: Any figure; None or nan where it is unknown.

    Returns:
        Six decimals; None where it is unknown.
    """
    return None if value is None or math.isnan(value) else round(float(value), DECIMALS)
