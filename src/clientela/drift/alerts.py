"""What people are told when a model's data have moved critically."""

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from clientela.drift.log_row import PeriodRun, rounded
from clientela.drift.state import ModelState, Recommendation, State
from clientela.drift.wording import REASONS, RECOMMENDATIONS

ID_LENGTH = 16


class RedColumn(BaseModel):
    """A column that drifted critically.

    Attributes:
        feature: Its name.
        psi: How far; None where it was not measured.
        reason: Code of the cause.
        sentence: The cause in Spanish; rates only, never a value of the data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    psi: float | None
    reason: str
    sentence: str


class Alert(BaseModel):
    """What is sent about one period of one model; it holds no rows and no values of the data.

    Attributes:
        version: Of this form.
        id: The same for a rerun of the same period, so that a receiver can drop repetitions.
        use_case: Which model.
        period: ISO.
        baseline: Hash of the baseline profile.
        n: Rows of the period.
        text: The required sentence, or what else is critical.
        text_en: The same in English.
        columns: The ROJO columns, worst first.
        state: Of the model.
        recommendation: What to do, as a code.
        advice: What to do, in Spanish.
        reasons: Why, as codes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: str
    use_case: str
    period: str
    baseline: str
    n: int
    text: str
    text_en: str
    columns: tuple[RedColumn, ...]
    state: State
    recommendation: Recommendation
    advice: str
    reasons: tuple[str, ...]

    def payload(self) -> bytes:
        """The alert as JSON in UTF-8; the same alert gives the same bytes."""
        content = self.model_dump(mode="json")
        return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


def alert(use_case: str, run: PeriodRun, judged: pd.DataFrame, state: ModelState) -> Alert | None:
    """What to tell about one period of one model, if anything is critical.

    Args:
        use_case: Which model.
        run: Which period, against what.
        judged: The drift table with severities, worst first.
        state: What follows for the model.

    Returns:
        An alert when a column is ROJO or the period critical, else None.
    """
    red = judged[judged["severity"] == "ROJO"]
    if red.empty and state.level != "critical":
        return None
    features = [str(name) for name in red["feature"]]
    key = f"{use_case}/{run.baseline}/{run.period}"
    return Alert(
        id=hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH],
        use_case=use_case,
        period=run.period,
        baseline=run.baseline,
        n=run.n,
        text=alert_sentence(features) if features else performance_sentence(state)[0],
        text_en=alert_sentence_en(features) if features else performance_sentence(state)[1],
        columns=_red_columns(red),
        state=state.state,
        recommendation=state.recommendation,
        advice=RECOMMENDATIONS[state.recommendation].es,
        reasons=state.reasons,
    )


def alert_sentence(features: Sequence[str]) -> str:
    """The required sentence.

    Args:
        features: The columns that drifted critically, worst first; at least one.

    Returns:
        Spanish.
    """
    return (
        f"ALERTA: Drift crítico detectado en {', '.join(features)}. Recomendación: revisar calidad "
        "de datos, umbrales y considerar reentrenamiento."
    )


def alert_sentence_en(features: Sequence[str]) -> str:
    """The required sentence, translated.

    Args:
        features: The columns that drifted critically, worst first; at least one.

    Returns:
        English.
    """
    return (
        f"ALERT: Critical drift detected in {', '.join(features)}. Recommendation: review data "
        "quality and thresholds, and consider retraining."
    )


def performance_sentence(state: ModelState) -> tuple[str, str]:
    """What is critical where no column is.

    Args:
        state: Of the model.

    Returns:
        Its reasons in Spanish and English.
    """
    words = [REASONS[reason] for reason in state.reasons]
    return (
        " ".join(["ALERTA:", *(each.es for each in words)]),
        " ".join(["ALERT:", *(each.en for each in words)]),
    )


def _red_columns(red: pd.DataFrame) -> tuple[RedColumn, ...]:
    rows = zip(red["feature"], red["psi"], red["reason"], red["sentence_es"], strict=True)
    return tuple(
        RedColumn(feature=feature, psi=rounded(psi), reason=reason, sentence=sentence)
        for feature, psi, reason, sentence in rows
    )
