"""The tables and sentences that monitoring leaves for people and the dashboard; no rows of data."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clientela.exceptions import MonitoringLogError
from clientela.pipelines.monitoring.alerts import Alert
from clientela.pipelines.monitoring.baseline import Baseline
from clientela.pipelines.monitoring.comparison import Comparison
from clientela.pipelines.monitoring.drift_table import (
    COLUMNS,
    bin_contributions,
    classic_drift_table,
)
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.reporting.model_health import REASONS, RECOMMENDATIONS, Wording
from clientela.reporting.monitoring_log import SIMULATED, round_metric

FIRST = ("feature", "type", "psi", "ks", "js", "cramers_v", "severity")
LATEST = (*FIRST, *COLUMNS[6:], "reason", "sentence_es", "sentence_en")
CLASSIC = ("psi_classic", "ks_classic", "js_classic")
RATES = ("missing_rate", "new_rate", "out_of_range_rate", "n")
BY_PERIOD = ("period", "feature", "type", "psi", "ks", "js", "severity", *RATES)
BY_SEGMENT = ("period", "segment_column", "segment", "feature", "psi", "ks", "severity", "n")
BINS = (
    *("feature", "type", "cell", "kind", "lower", "upper", "value"),
    *("baseline_share", "current_share", "contribution"),
)


def latest_metrics(latest: Comparison | None, settings: MonitoringSettings) -> pd.DataFrame:
    """One row per watched column: the latest period, worst first.

    Returns:
        `feature, type, psi, ks, js, cramers_v, severity`, the further figures, `reason`,
        `sentence_es`, `sentence_en`; and `psi_classic, ks_classic, js_classic` if wanted.
    """
    columns = [*LATEST, *(CLASSIC if settings.compat else ())]
    if latest is None:
        return pd.DataFrame(columns=columns)
    if not settings.compat:
        return latest.judged[columns]
    classic = classic_drift_table(latest.profile, latest.counted, settings.drift, latest.exact)
    renamed = classic.rename(columns={name: f"{name}_classic" for name in ("psi", "ks", "js")})
    return latest.judged.merge(renamed, on="feature", how="left")[columns]


def drift_by_period(former: str, comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row per period and watched column, in the order of time, then by name.

    Returns:
        Texts: `period, feature, type, psi, ks, js, severity, missing_rate, new_rate,
        out_of_range_rate, n`.
    """
    tables = [
        comparison.judged.assign(period=comparison.run.period).sort_values("feature")
        for comparison in comparisons
    ]
    return merge_periods(former, _concatenate(tables, BY_PERIOD), "drift_by_period.csv")


def drift_by_segment(former: str, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per period, part of the rows, and column compared within it."""
    table = _concatenate([table.sort_values("feature") for table in tables], BY_SEGMENT)
    return merge_periods(former, table, "drift_by_segment.csv")


def bin_shares(latest: Comparison | None, settings: MonitoringSettings) -> pd.DataFrame:
    """One row per watched column and cell of it: where the rows lay, and where they lie.

    Returns:
        `feature, type, cell` (its number), `kind` (`bin`, `value`, `other`, `new`, `missing`),
        `lower` and `upper` of a bin (empty where it is open), `value` of a category or heavy
        number, `baseline_share`, `current_share`, `contribution` to PSI.
    """
    tables = []
    for name in sorted(latest.judged["feature"]) if latest else []:
        assert latest is not None  # noqa: S101 - for the type checker
        profile, counts = latest.get_profile_and_counts(name)
        cells = bin_contributions(profile, counts, name, settings.drift)
        cells = cells.rename(columns={"psi": "contribution"}).assign(
            feature=name,
            type=profile.columns[name].type,
            cell=np.arange(len(cells)),
            kind=cells["kind"].replace({"interval": "bin"}),
        )
        tables.append(cells)
    return _concatenate(tables, BINS)


def merge_periods(former: str, table: pd.DataFrame, what: str) -> pd.DataFrame:
    """A table over time with the periods of this run in it; former lines stay to the last byte.

    Args:
        former: The text of the file; empty before the first run.

    Returns:
        Texts: former periods that this run did not measure, and those that it did.

    Raises:
        MonitoringLogError: The file was cut short, or has other columns.
    """
    new = _parse_csv_as_text(table.to_csv(index=False, lineterminator="\n"))
    if not former:
        return new
    header = former.partition("\n")[0]
    if header != ",".join(table.columns) or not former.endswith("\n"):
        raise MonitoringLogError(
            f"{what} can't be continued: expected the columns {','.join(table.columns)} and a line "
            f"break at its end, but got {header[:200]!r} and {former[-20:]!r}. It was left as it "
            "is. Restore it from a copy, or move it away to begin a new one."
        )
    old = _parse_csv_as_text(former)
    kept = old[~old["period"].isin(new["period"])]
    return pd.concat([kept, new]).sort_values("period", kind="stable", ignore_index=True)


def _parse_csv_as_text(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)


def _concatenate(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    names = list(columns)
    if not tables:
        return pd.DataFrame(columns=names)
    return pd.concat([table[names] for table in tables], ignore_index=True)


PUT_NEWER_FILE = (
    "kedro run --pipelines=ingestion,feature_engineering,scoring,monitoring --tags={use_case}"
)
NO_CURRENT_DATA = Wording(
    "No hay datos posteriores a la base: nada con qué comparar.",
    "There are no data after the baseline: nothing to compare it with.",
)
NEWER_FILE = Wording(
    "Poner un archivo más reciente en la carpeta de datos crudos y ejecutar: {command}",
    "Put a newer file into the raw folder and run: {command}",
)
# Why a figure of performance can't be known, by its code.
NOTES = {
    "few_rows": Wording("hay muy pocas filas", "there are too few rows"),
    "uncalibrated": Wording(
        "las probabilidades del modelo no están calibradas",
        "the model's probabilities are not calibrated",
    ),
    "few_events": Wording("hay muy pocos casos de una clase", "there are too few cases of a class"),
    "no_labels": Wording("todavía no hay etiquetas", "there are no labels yet"),
    "one_class": Wording("solo se ve una clase", "only one class is seen"),
}


@dataclass(frozen=True)
class MonitoringResult:
    """What a run of monitoring found, before anybody is told.

    Attributes:
        latest: The latest period; None when there are no current data.
        first: First moment of the latest period's rows, ISO; None without dates.
        gaps: Periods between others that no row came in.
    """

    baseline: Baseline
    latest: Comparison | None
    first: str | None = None
    last: str | None = None
    gaps: Sequence[str] = ()
    alert: Alert | None = None

    @property
    def use_case(self) -> str:
        """Whose."""
        return self.baseline.whole.use_case


def drift_state(found: MonitoringResult, sent: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The state of one model as the dashboard reads it.

    Returns:
        JSON: `use_case, status, baseline, current, state, recommendation, reasons, performance,
        alert, what_to_do`.
    """
    whole, latest, alert = found.baseline.whole, found.latest, found.alert
    period = whole.period
    state: dict[str, Any] = {
        "use_case": found.use_case,
        "status": "compared" if latest else "no_current_data",
        "baseline": {
            "from": period.first.isoformat() if period else None,
            "to": period.last.isoformat() if period else None,
            "rows": whole.rows,
            "hash": found.baseline.shown_hash,
        },
        "current": None,
        "state": None,
        "recommendation": "nothing",
        "reasons": [{"code": "no_current_data", **NO_CURRENT_DATA._asdict()}],
        "performance": None,
        "alert": None,
        "what_to_do": _format_recommendation(found),
    }
    if latest:
        state |= _describe_latest_period(found, latest)
    if alert:
        texts = {"sentence": alert.text, "sentence_en": alert.text_en, "id": alert.id}
        state["alert"] = {**texts, "sent": [*sent]}
    return state


def _describe_latest_period(found: MonitoringResult, latest: Comparison) -> dict[str, Any]:
    run, state, measured = latest.run, latest.state, latest.performance
    performance: dict[str, Any] = {
        "measure": measured.measure,
        "reference": round_metric(measured.reference),
    }
    changes = {"estimated": measured.estimated, "realised": measured.realised}
    for kind, change in changes.items() if measured.measure else ():
        figure = measured.figures.T[kind].to_dict()
        code = figure["note"]
        performance[kind] = {
            **{name: round_metric(figure[name]) for name in ("value", "lower", "upper")},
            "n": figure["n"],
            "note": {"code": code, **NOTES[code]._asdict()} if code else None,
            "change": change,
        }
    return {
        "current": {
            "period": run.period,
            "from": found.first,
            "to": found.last,
            "rows": run.n,
            "mode": run.mode,
            "simulated": run.mode.startswith(SIMULATED),
            "empty_periods": list(found.gaps),
        },
        "state": state.state,
        "recommendation": state.recommendation,
        "reasons": [{"code": code, **REASONS[code]._asdict()} for code in state.reasons],
        "performance": performance if measured.measure else None,
    }


def format_monitoring_summary(found: MonitoringResult) -> dict[str, str]:
    """The sentences that end the run.

    Returns:
        `sentence`: the alert where there is one, the state, and what to do, in Spanish.
    """
    lines = [found.alert.text] if found.alert else []
    latest = found.latest
    if latest is None:
        lines.append(NO_CURRENT_DATA.es)
    else:
        row = latest.row
        simulated = f" ({row.mode})" if row.mode.startswith(SIMULATED) else ""
        lines.append(
            f"{row.period}, {row.n} filas{simulated}: {row.red} ROJO, {row.yellow} AMARILLO, "
            f"{row.insufficient} INSUFICIENTE de {len(latest.judged)} variables."
        )
        lines += [REASONS[reason].es for reason in latest.state.reasons]
    lines.append(_format_recommendation(found)["es"])
    return {"sentence": f"Monitoreo de {found.use_case}: " + "\n".join(lines)}


def _format_recommendation(found: MonitoringResult) -> dict[str, str]:
    if found.latest is not None:
        return RECOMMENDATIONS[found.latest.state.recommendation]._asdict()
    command = PUT_NEWER_FILE.format(use_case=found.use_case)
    return {name: words.format(command=command) for name, words in NEWER_FILE._asdict().items()}
