"""What may vary in monitoring: every setting has a default, so that a use case may say `{}`."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from clientela.pipelines.monitoring.profile import DriftSettings, ProfileSettings
from clientela.pipelines.monitoring.statistical_tests import (
    BinaryMeasure,
    OrdinalMeasure,
    PerformanceSettings,
)
from clientela.reporting.drift_findings import DriftThresholds
from clientela.reporting.model_health import StateRules
from clientela.reporting.monitoring_log import ISO_PERIOD
from clientela.settings_base import FrozenSettings

PeriodUnit: TypeAlias = Literal["day", "week", "month", "quarter"]


class BaselinePeriod(FrozenSettings):
    """Which rows with dates are the baseline. Later runs read it from the frozen profile.

    Attributes:
        share: This share of the rows, the oldest first; used where `last` is not given.
        first: Older rows are no part of it; None: from the oldest on.
        last: Its last moment; None: by share. A date alone is the whole day.
    """

    share: float = Field(default=0.7, gt=0, lt=1)
    first: datetime | None = None
    last: datetime | None = None

    @model_validator(mode="after")
    def _validate_first_before_last(self) -> Self:
        if self.first and self.last and self.first > self.last:
            raise ValueError(
                f"first should not lie after last; got first {self.first} and last {self.last}"
            )
        return self


class SegmentDrift(FrozenSettings):
    """Drift within parts of the rows, which a whole can hide.

    Attributes:
        columns: Watched categories whose values are the parts.
        features: Watched columns that are compared within each part.
        most: Parts of one column, the largest of the baseline first.
    """

    columns: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    most: PositiveInt = 12


class PerformanceMonitoringSettings(PerformanceSettings):
    """How performance is followed.

    Attributes:
        draws: As in `PerformanceSettings`; fewer, since each period is measured.
        binary: The measure of models with two classes.
        ordinal: The measure of models with ordered classes.
        calibrated_below: Probabilities count as calibrated where the calibration error on the test
            part lies below; else nothing is estimated from them.
    """

    draws: PositiveInt = 500
    groups: PositiveInt = 300
    binary: BinaryMeasure = "roc_auc"
    ordinal: OrdinalMeasure = "qwk"
    calibrated_below: float = Field(default=0.05, gt=0)


class AlertAddresses(FrozenSettings):
    """Who is told, beside the log.

    Attributes:
        webhook_variable: Environment variable with the address of a webhook. Such addresses let
            anybody write who knows them, so none stands in a file.
        sns_topic_variable: Environment variable with the ARN of a topic of Amazon SNS.
        deadline_seconds: A run waits no longer for all of them together.
    """

    webhook_variable: str = "CLIENTELA_ALERT_WEBHOOK"
    sns_topic_variable: str = "CLIENTELA_ALERT_SNS_TOPIC"
    deadline_seconds: float = Field(default=30, gt=0)


class MonitoringSettings(FrozenSettings):
    """Parameters of the monitoring stage.

    Attributes:
        new_baseline: Forget the frozen baseline and make a new one of today's rows.
        baseline: Which rows are it, where rows have dates.
        pooled_rows: A period with fewer rows is measured together with those just before it, so
            that a sparse month says something: below some 250 rows chance alone makes a PSI of .1
            with ten bins (99 %).
        against: What rows without dates are compared with: those the model was trained from, which
            also shows where training and scoring differ by design, or those that were scored when
            monitoring ran first.
        same_season: Compare each period with the same months of the baseline, where there are any.
        file_period: Name of the period of a file without dates (`2025-07`); None: files are
            numbered as they come, 0001, 0002, …
        leave_out: Patterns of columns that are not watched.
        compat: Whether the latest table also has the figures of classic dashboards.
        exact: Whether KS and Wasserstein are computed from the values, as long as the rows of the
            baseline are at hand; else the profile certifies an interval.
        thresholds: What makes a column ROJO or AMARILLO.
    """

    new_baseline: bool = False
    baseline: BaselinePeriod = BaselinePeriod()
    period: PeriodUnit = "month"
    pooled_rows: NonNegativeInt = 300
    against: Literal["training", "first_scored"] = "training"
    same_season: bool = False
    file_period: Annotated[str, Field(pattern=ISO_PERIOD)] | None = None
    leave_out: tuple[str, ...] = ()
    compat: bool = False
    exact: bool = False
    segments: SegmentDrift = SegmentDrift()
    profile: ProfileSettings = ProfileSettings()
    drift: DriftSettings = DriftSettings()
    thresholds: DriftThresholds = DriftThresholds()
    state: StateRules = StateRules()
    performance: PerformanceMonitoringSettings = PerformanceMonitoringSettings()
    alerts: AlertAddresses = AlertAddresses()
