"""Which environment is shown: what stands after `--` on the command line, else KEDRO_ENV."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

import pandas as pd
from kedro.io import DatasetError
from kedro.io.core import CatalogProtocol
from kedro.utils import find_kedro_project
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clientela.context import open_context
from clientela.exceptions import ClientelaError, ConfigurationError, DriftError
from clientela.hooks import format_error_message
from clientela.reporting.drift_findings import SEVERITIES, DriftThresholds, EffectSizes
from clientela.reporting.model_health import Recommendation, State, Wording
from clientela.reporting.monitoring_log import LOG_COLUMNS
from clientela.use_cases import parse_use_cases

# Which environment is shown: what stands after `--` on the command line, else KEDRO_ENV.


class Options(NamedTuple):
    """Where the dashboard looks.

    Attributes:
        env: Kedro environment; None for the default one.
        conf_source: Folder of the configuration; None for the project's own.
    """

    project: Path
    env: str | None
    conf_source: str | None

    @property
    def run_flags(self) -> str:
        """What `kedro run` needs to write where the dashboard looks; begins with a space."""
        env = f" --env={self.env}" if self.env else ""
        return env + (f" --conf-source={self.conf_source}" if self.conf_source else "")


def parse_options(arguments: Sequence[str]) -> Options:
    """Where to look.

    Returns:
        The project around the working directory, seen through an environment.

    Raises:
        ConfigurationError: The working directory lies in no Kedro project.
    """
    parser = argparse.ArgumentParser(prog="dashboard")
    parser.add_argument("--env", "-e", default=os.getenv("KEDRO_ENV"))
    parser.add_argument("--conf-source", default=None)
    given = parser.parse_args(arguments)
    project = find_kedro_project(Path.cwd())
    if project is None:
        raise ConfigurationError(
            f"The dashboard should be started inside a Kedro project; {Path.cwd()} is none. "
            "Change into the folder of pyproject.toml and run make dashboard."
        )
    return Options(project, given.env or None, given.conf_source)


# The state of a model as monitoring writes it, read strictly enough to be trusted.


class _StateModel(BaseModel):
    # what a later version adds is no reason to show nothing
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class BilingualText(_StateModel):
    """The same in both languages."""

    es: str
    en: str

    @property
    def wording(self) -> Wording:
        """As the dashboard says things."""
        return Wording(self.es, self.en)


class DataPeriod(_StateModel):
    """The rows of a baseline or a period.

    Attributes:
        mode: How a period was measured; of a file, it begins with `file`.
    """

    period: str | None = None
    first: str | None = Field(default=None, alias="from")
    last: str | None = Field(default=None, alias="to")
    rows: int
    mode: str = ""
    hash: str | None = None


class StateReason(BilingualText):
    """Why a model is in its state."""

    code: str


class MetricValue(_StateModel):
    """One figure of performance.

    Attributes:
        note: Why something of it is not known.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    note: BilingualText | None = None


class Performance(_StateModel):
    """How good the model was in the latest period.

    Attributes:
        reference: What it was when the model was graded.
        realised: On those that are known by now.
    """

    measure: str
    reference: float | None = None
    estimated: MetricValue
    realised: MetricValue


class Delivery(_StateModel):
    """What became of an alert on one channel."""

    channel: str
    delivered: bool
    attempts: int
    detail: str


class SentAlert(_StateModel):
    """What was told, and whom it reached."""

    sentence: str
    sentence_en: str
    sent: tuple[Delivery, ...] = ()


class DriftState(_StateModel):
    """The state of one model after its latest period.

    Attributes:
        baseline: The rows the model is compared with.
        performance: Figures of the latest period; None where the model is judged by none.
        alert: What was told; None when there was nothing to tell.
    """

    status: Literal["compared", "no_current_data"]
    baseline: DataPeriod
    current: DataPeriod | None = None
    state: State | None = None
    recommendation: Recommendation | None = None
    reasons: tuple[StateReason, ...] = ()
    performance: Performance | None = None
    alert: SentAlert | None = None
    what_to_do: BilingualText


# What monitoring wrote about one model, as far as it is there and can be read.


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
# The last column of each that no row leaves empty.
FILLED = {
    "latest_drift_metrics": "sentence_en",
    "drift_by_period": "n",
    "drift_by_segment": "n",
    "bin_shares": "contribution",
    "monitoring_log": "recommendation",
}
NUMBERS = "psi,ks,js,cramers_v,missing_rate,missing_rate_baseline,new_rate,out_of_range_rate,n"
NUMBERS += ",n_baseline,lower,upper,baseline_share,current_share,contribution,avg_psi,pct_red,red"
NUMBERS += ",weighted_psi,estimated,realised,n_realised"
TEXTS = ("red_features", "measure", "reasons", "segment", "sentence_es", "sentence_en")

Content = TypeVar("Content")
Catalog: TypeAlias = "CatalogProtocol[Any, Any]"


@dataclass(frozen=True)
class MonitoringResults:
    """What there is about one model; None where a part is absent or unreadable.

    Attributes:
        metrics: One row per column in the latest period, worst first.
        log: One row per period, in the order of time.
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


def load_monitoring(catalog: Catalog, use_case: str) -> MonitoringResults:
    """What monitoring wrote about a model.

    Returns:
        Its parts; one that can't be read is a problem, and hides no other.
    """
    problems: dict[str, str] = {}

    def part(dataset: str, shaped: Callable[[str, Any], Content]) -> Content | None:
        try:
            return _load_dataset(catalog, f"{use_case}.{dataset}", shaped)
        except (ClientelaError, DatasetError, OSError, ValueError) as err:
            # our own words where there are any: those of a parser may quote what it read
            problems[dataset] = format_error_message(err)
            return None

    return MonitoringResults(
        use_case,
        state=part("drift_state", _validate_state),
        metrics=part("latest_drift_metrics", _validate_frame),
        log=part("monitoring_log", _validate_frame),
        by_period=part("drift_by_period", _validate_frame),
        by_segment=part("drift_by_segment", _validate_frame),
        bins=part("bin_shares", _validate_frame),
        psi_sizes=_load_thresholds(catalog, use_case).psi,
        problems=problems,
    )


def _load_thresholds(catalog: Catalog, use_case: str) -> DriftThresholds:
    name = f"params:{use_case}.monitoring"
    parameters = catalog.load(name) if catalog.exists(name) else {}
    return DriftThresholds.model_validate(parameters.get("thresholds", {}))


def _load_dataset(
    catalog: Catalog, name: str, shaped: Callable[[str, Any], Content]
) -> Content | None:
    # datasets remember what a store looked like when they read it last
    catalog.release(name)
    if not catalog.exists(name):
        return None
    return shaped(name.partition(".")[2], catalog.load(name))


def _validate_frame(dataset: str, content: pd.DataFrame) -> pd.DataFrame:
    absent = [column for column in COLUMNS[dataset] if column not in content]
    if absent:
        raise DriftError(
            f"{dataset} should have the columns {', '.join(COLUMNS[dataset])}; "
            f"{', '.join(absent)} are absent. Run monitoring again, or restore the file."
        )
    last = FILLED[dataset]
    if cut := int(content[last].isna().sum()):
        raise DriftError(
            f"{dataset} should have {last} in each row; {cut} of {len(content)} lack it, as in a "
            "file that was cut short. Run monitoring again, or restore the file."
        )
    for column in content.columns.intersection(NUMBERS.split(",")):
        if (pd.to_numeric(content[column], errors="coerce").isna() & content[column].notna()).any():
            raise DriftError(
                f"{dataset} should have numbers in {column}; other text stands there. "
                "Run monitoring again, or restore the file."
            )
    if "severity" in content and not content["severity"].isin(SEVERITIES).all():
        raise DriftError(
            f"{dataset} should have one of {', '.join(SEVERITIES)} in severity; other words stand "
            "there. Run monitoring again, or restore the file."
        )
    # a column of texts that are all empty is read as numbers
    texts = [column for column in TEXTS if column in content]
    return content.assign(**content[texts].astype("object").fillna("").astype("str"))


def _validate_state(dataset: str, content: Any) -> DriftState:
    try:
        return DriftState.model_validate(content)
    except ValidationError as err:
        fields = sorted({".".join(map(str, each["loc"])) for each in err.errors()})
        raise DriftError(
            f"{dataset} should be as monitoring writes it; it differs in {', '.join(fields)}. "
            "Run monitoring again, or restore the file."
        ) from err


# Opens the Kedro catalog of an environment: the only way to what monitoring wrote.


STAGE = "monitoring"


class MonitoringCatalog(NamedTuple):
    """What there is to be read.

    Attributes:
        use_cases: Those that are monitored, in the order of the switchboard.
    """

    catalog: Catalog
    use_cases: tuple[str, ...]


def open_catalog(options: Options) -> MonitoringCatalog:
    """The catalog and the monitored use cases of an environment."""
    context = open_context(options.project, options.env, options.conf_source)
    # nothing runs here, and importing every pipeline to check its parameters takes seconds
    context._pipelines_to_validate = []  # noqa: SLF001 - Kedro has no other way
    entries = parse_use_cases(context.config_loader["use_cases"])
    monitored = (name for name, entry in entries.items() if STAGE in entry.stages)
    return MonitoringCatalog(context.catalog, tuple(monitored))
