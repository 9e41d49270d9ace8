"""What monitoring says in words: the state of the model, why, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clientela.drift.alerts import Alert
from clientela.drift.log_row import rounded
from clientela.drift.wording import REASONS, RECOMMENDATIONS, Wording
from clientela.monitoring.baseline import Baseline
from clientela.monitoring.comparison import Comparison
from clientela.monitoring.performance import Performance

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
"""Why a figure of performance can't be known, by its code."""


@dataclass(frozen=True)
class Findings:
    """What a run of monitoring found, before anybody is told.

    Attributes:
        baseline: What was compared with.
        latest: The latest period; None when there are no current data.
        first: First moment of the latest period's rows, ISO; None without dates.
        last: Last moment.
        gaps: Periods between others that no row came in.
        alert: What to tell, if anything.
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


def drift_state(found: Findings, sent: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The state of one model as the dashboard reads it.

    Args:
        found: What was found.
        sent: What became of the alert, one item per channel.

    Returns:
        JSON: `use_case, status, baseline, current, state, recommendation, reasons, performance,
        alert, what_to_do`.
    """
    whole, latest = found.baseline.whole, found.latest
    period = whole.period
    return {
        "use_case": found.use_case,
        "status": "compared" if latest else "no_current_data",
        "baseline": {
            "from": period.first.isoformat() if period else None,
            "to": period.last.isoformat() if period else None,
            "rows": whole.rows,
            "hash": found.baseline.shown_hash,
        },
        "current": _current(found) if latest else None,
        "state": latest.state.state if latest else None,
        "recommendation": latest.state.recommendation if latest else "nothing",
        "reasons": _reasons(latest),
        "performance": _performance(latest.performance) if latest else None,
        "alert": _alert(found.alert, sent),
        "what_to_do": _what_to_do(found),
    }


def headline(found: Findings) -> dict[str, str]:
    """The sentences that end the run.

    Args:
        found: What was found.

    Returns:
        `sentence`: the alert where there is one, the state, and what to do, in Spanish.
    """
    lines = [found.alert.text] if found.alert else []
    latest = found.latest
    if latest is None:
        lines.append(NO_CURRENT_DATA.es)
    else:
        row = latest.row
        lines.append(
            f"{row.period}, {row.n} filas: {row.red} ROJO, {row.yellow} AMARILLO, "
            f"{row.insufficient} INSUFICIENTE de {len(latest.judged)} variables."
        )
        lines += [REASONS[reason].es for reason in latest.state.reasons]
    lines.append(_what_to_do(found)["es"])
    return {"sentence": f"Monitoreo de {found.use_case}: " + "\n".join(lines)}


def _current(found: Findings) -> dict[str, Any]:
    assert found.latest is not None  # noqa: S101 - for the type checker: asked only then
    run = found.latest.run
    return {
        "period": run.period,
        "from": found.first,
        "to": found.last,
        "rows": run.n,
        "mode": run.mode,
        "empty_periods": list(found.gaps),
    }


def _reasons(latest: Comparison | None) -> list[dict[str, str]]:
    if latest is None:
        return [{"code": "no_current_data", **NO_CURRENT_DATA._asdict()}]
    return [{"code": code, **REASONS[code]._asdict()} for code in latest.state.reasons]


def _what_to_do(found: Findings) -> dict[str, str]:
    if found.latest is not None:
        return RECOMMENDATIONS[found.latest.state.recommendation]._asdict()
    command = PUT_NEWER_FILE.format(use_case=found.use_case)
    return {name: words.format(command=command) for name, words in NEWER_FILE._asdict().items()}


def _performance(measured: Performance) -> dict[str, Any] | None:
    if not measured.measure:
        return None
    changes = {"estimated": measured.estimated, "realised": measured.realised}
    return {
        "measure": measured.measure,
        "reference": rounded(measured.reference),
        **{kind: _figure(measured, kind) | {"change": changes[kind]} for kind in changes},
    }


def _figure(measured: Performance, kind: str) -> dict[str, Any]:
    figure = measured.figures.T[kind].to_dict()
    note = figure["note"]
    values = {name: rounded(figure[name]) for name in ("value", "lower", "upper")}
    return {
        **values,
        "n": figure["n"],
        "note": {"code": note, **NOTES[note]._asdict()} if note else None,
    }


def _alert(alert: Alert | None, sent: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    if alert is None:
        return None
    return {"sentence": alert.text, "sentence_en": alert.text_en, "id": alert.id, "sent": [*sent]}
