"""What monitoring wrote about one model, as far as it is there and can be read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import pandas as pd
from kedro.io import DatasetError
from kedro.io.core import CatalogProtocol
from pydantic import ValidationError

from clientela.dashboard.states import DriftState
from clientela.drift.log_row import LOG_COLUMNS
from clientela.drift.thresholds import EffectSizes
from clientela.exceptions import ClientelaError, DriftError
from clientela.monitoring.settings import MonitoringSettings

METRICS = "feature,type,psi,ks,js,cramers_v,severity,missing_rate,missing_rate_baseline,new_rate"
METRICS += ",out_of_range_rate,n,n_baseline,reason,sentence_es,sentence_en"
BY_PERIOD = "period,feature,type,psi,severity,missing_rate,n"
BY_SEGMENT = "period,segment_column,segment,feature,psi,severity,n"
BINS = "feature,type,kind,lower,upper,value,baseline_share,current_share,contribution"
COLUMNS = {
    "latest_drift_metrics": METRICS.split(","),
    "drift_by_period": BY_PERIOD.split(","),
    "drift_by_segment": BY_SEGMENT.split(","),
    "bin_shares": BINS.split(","),
    "monitoring_log": list(LOG_COLUMNS),
}
TEXTS = ("red_features", "measure", "reasons", "segment", "sentence_es", "sentence_en")

Content = TypeVar("Content")
Catalog: TypeAlias = "CatalogProtocol[Any, Any]"


@dataclass(frozen=True)
class Monitoring:
    """What there is about one model; None where a part is absent or unreadable.

    Attributes:
        use_case: Whose model.
        state: After the latest period.
        metrics: One row per column in the latest period, worst first.
        log: One row per period, in the order of time.
        by_period: One row per period and column.
        by_segment: One row per period, segment and column.
        bins: One row per column and cell of the latest period.
        psi_sizes: From where on a PSI is watched, and an alarm.
        problems: Dataset to why it could not be read.
    """

    use_case: str
    state: DriftState | None
    metrics: pd.DataFrame | None
    log: pd.DataFrame | None
    by_period: pd.DataFrame | None
    by_segment: pd.DataFrame | None
    bins: pd.DataFrame | None
    psi_sizes: EffectSizes
    problems: dict[str, str]

    @property
    def exists(self) -> bool:
        """Whether monitoring left anything, readable or not."""
        parts = (self.state, self.metrics, self.log, self.by_period, self.bins)
        return bool(self.problems) or any(part is not None for part in parts)


def monitoring(catalog: Catalog, use_case: str) -> Monitoring:
    """What monitoring wrote about a model.

    Args:
        catalog: Where it lies.
        use_case: Whose model.

    Returns:
        Its parts; one that can't be read is a problem, and hides no other.
    """
    problems: dict[str, str] = {}

    def part(dataset: str, shaped: Callable[[str, Any], Content]) -> Content | None:
        try:
            return _part(catalog, f"{use_case}.{dataset}", shaped)
        except (ClientelaError, DatasetError, OSError, ValueError) as err:
            problems[dataset] = _message(err)
            return None

    return Monitoring(
        use_case,
        state=part("drift_state", _state),
        metrics=part("latest_drift_metrics", _frame),
        log=part("monitoring_log", _frame),
        by_period=part("drift_by_period", _frame),
        by_segment=part("drift_by_segment", _frame),
        bins=part("bin_shares", _frame),
        psi_sizes=_settings(catalog, use_case).thresholds.psi,
        problems=problems,
    )


def _settings(catalog: Catalog, use_case: str) -> MonitoringSettings:
    name = f"params:{use_case}.monitoring"
    return MonitoringSettings.model_validate(catalog.load(name) if catalog.exists(name) else {})


def _part(catalog: Catalog, name: str, shaped: Callable[[str, Any], Content]) -> Content | None:
    # datasets remember what a store looked like when they read it last
    catalog.release(name)
    if not catalog.exists(name):
        return None
    return shaped(name.partition(".")[2], catalog.load(name))


def _frame(dataset: str, content: pd.DataFrame) -> pd.DataFrame:
    absent = [column for column in COLUMNS[dataset] if column not in content]
    if absent:
        raise DriftError(
            f"{dataset} should have the columns {', '.join(COLUMNS[dataset])}; "
            f"{', '.join(absent)} are absent. Run monitoring again, or restore the file."
        )
    # a column of texts that are all empty is read as numbers
    texts = [column for column in TEXTS if column in content]
    return content.assign(**content[texts].astype("object").fillna("").astype("str"))


def _state(dataset: str, content: Any) -> DriftState:
    try:
        return DriftState.model_validate(content)
    except ValidationError as err:
        fields = sorted({".".join(map(str, each["loc"])) for each in err.errors()})
        raise DriftError(
            f"{dataset} should be as monitoring writes it; it differs in {', '.join(fields)}. "
            "Run monitoring again, or restore the file."
        ) from err


def _message(err: BaseException) -> str:
    """Our own words where there are any: those of a parser may quote what it read."""
    from clientela.cli import readable  # noqa: PLC0415 - heavy, and needed only on failure

    return readable(err)
