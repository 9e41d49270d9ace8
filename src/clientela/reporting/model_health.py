"""What the drift of its columns says about a model, and what to do: states, reasons, wordings.

Retraining on the first bad month learns a holiday or a broken file. So a model's state rises only
when k of the last n periods are critical, falls only after some calm ones, and a retraining is
recommended at most once in a while. A source that broke is mended first, and a new category looked
at, whatever else moved; where mature labels show that performance fell, nothing need recur.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from clientela.reporting.drift_findings import NO_LONGER_MEASURED
from clientela.settings_base import FrozenSettings

Floats: TypeAlias = NDArray[np.float64]
Level: TypeAlias = Literal["calm", "warning", "critical", "unknown"]
Change: TypeAlias = Literal["fell", "held", "unknown"]
Cause: TypeAlias = Literal["source", "categories", "population"]

# What a reason says where it holds for most of the importance that moved.
CAUSES: Mapping[str, Cause] = {"out_of_range": "source", "new_values": "categories"}
MOST = 0.5


class LevelRules(FrozenSettings):
    """When a period is a warning, or critical. Shares are of importance, 0..1.

    Attributes:
        critical_share: A period is critical when ROJO columns hold this share.
        warning_share: It is a warning when ROJO and AMARILLO columns hold this share.
        unknown_share: It is unknown, if neither, when INSUFICIENTE columns hold more than this.
    """

    critical_share: float = Field(default=0.1, gt=0, le=1)
    warning_share: float = Field(default=0.1, gt=0, le=1)
    unknown_share: float = Field(default=0.5, ge=0, lt=1)

    @model_validator(mode="after")
    def _validate_share_order(self) -> Self:
        if self.warning_share > self.critical_share:
            raise ValueError(
                "warning_share should not exceed critical_share; got "
                f"{self.warning_share} and {self.critical_share}"
            )
        return self


class PeriodSummary(FrozenSettings):
    """What one period says about one model.

    Attributes:
        weighted_psi: Mean PSI of the columns, weighted by importance; None where none was measured.
        moved_share: Share of importance in ROJO and AMARILLO columns.
        cause: What most of the ROJO columns say, by importance: `source` also where a single one is
            no longer measured; None where no column is ROJO.
        realised: Whether performance, measured on mature labels, fell.
    """

    weighted_psi: float | None
    red: int
    red_share: float
    moved_share: float
    unknown_share: float
    cause: Cause | None = None
    estimated: Change = "unknown"
    realised: Change = "unknown"

    def level(self, rules: LevelRules) -> Level:
        """How much the period asks for.

        | level    | when, the first that holds                                                |
        |----------|---------------------------------------------------------------------------|
        | critical | realised performance fell, or `red_share` >= `critical_share`              |
        | warning  | estimated performance fell, any column is ROJO, or                         |
        |          | `moved_share` >= `warning_share`                                           |
        | unknown  | `unknown_share` > the rule's                                               |
        | calm     | else                                                                       |
        """
        if self.realised == "fell" or self.red_share >= rules.critical_share:
            return "critical"
        if self.estimated == "fell" or self.red or self.moved_share >= rules.warning_share:
            return "warning"
        return "unknown" if self.unknown_share > rules.unknown_share else "calm"


def summarize_period(
    judged: pd.DataFrame,
    importance: Mapping[str, float],
    estimated: Change = "unknown",
    realised: Change = "unknown",
) -> PeriodSummary:
    """What a table with severities says about the model that uses its columns.

    Args:
        importance: Importance of the model's features, of any scale; columns that it does not name
            weigh nothing, and an empty one lets all columns weigh the same.

    Returns:
        The evidence of one period; without any columns all of it is unknown.
    """
    weights = normalize_importance(judged["feature"], importance)

    def share(chosen: "pd.Series[bool]") -> float:
        return float(weights[chosen.to_numpy()].sum())

    psi, severity = judged["psi"].to_numpy(dtype=np.float64), judged["severity"]
    known = np.isfinite(psi) & (weights > 0)
    red = severity == "ROJO"
    return PeriodSummary(
        weighted_psi=float(np.average(psi[known], weights=weights[known])) if known.any() else None,
        red=int(red.sum()),
        red_share=share(red),
        moved_share=share(red | (severity == "AMARILLO")),
        unknown_share=share(severity == "INSUFICIENTE") if len(judged) else 1.0,
        cause=_find_cause(judged["reason"][red], weights[red.to_numpy()]),
        estimated=estimated,
        realised=realised,
    )


def _find_cause(reasons: "pd.Series[str]", weights: Floats) -> Cause | None:
    """What is behind the ROJO columns, by their reasons."""
    if reasons.empty:
        return None
    if reasons.isin(NO_LONGER_MEASURED).any():
        return "source"
    size = weights if weights.sum() else np.ones(len(weights))
    by_reason = pd.Series(size).groupby(reasons.to_numpy()).sum() / size.sum()
    for reason, cause in CAUSES.items():
        if by_reason.get(reason, 0.0) > MOST:
            return cause
    return "population"


def normalize_importance(features: "pd.Series[str]", importance: Mapping[str, float]) -> Floats:
    """The share of importance of each column.

    Args:
        importance: Importance of some of them, of any scale and sign.

    Returns:
        Shares that add up to 1; equal ones where no column has any importance.
    """
    size = np.abs([importance.get(name, 0.0) for name in features])
    if not size.sum():
        size = np.ones(len(features))
    shares: Floats = size / size.sum() if len(size) else size
    return shares


State: TypeAlias = Literal["stable", "watch", "alarm"]
Recommendation: TypeAlias = Literal["nothing", "watch", "investigate", "retrain"]
StateReason: TypeAlias = Literal[
    "calm",
    "insufficient_data",
    "settling",
    "columns_moved",
    "important_columns_moved",
    "estimated_performance_fell",
    "realised_performance_fell",
    "persistent",
    "alarm_continues",
    "repair_data_first",
    "new_categories",
    "population_changed",
    "performance_holds",
    "cool_down",
]


# Causes that explain the drift, so that what remains is to look at them.
EXPLAINED: Mapping[Cause | None, StateReason] = {
    "source": "repair_data_first",
    "categories": "new_categories",
}


class StateRules(FrozenSettings):
    """How many periods it takes.

    Attributes:
        last: Periods looked back on, the present one included; unknown ones are skipped.
        at_least: So many of them critical make an alarm; never one alone.
        calm: Periods in a row without a critical one that end an alarm, and without a warning that
            end a watch.
        cool_down: Periods after a recommended retraining in which none is recommended again.
    """

    last: PositiveInt = 3
    at_least: PositiveInt = 2
    calm: PositiveInt = 2
    cool_down: NonNegativeInt = 3
    levels: LevelRules = LevelRules()

    @model_validator(mode="after")
    def _validate_at_least(self) -> Self:
        if not 2 <= self.at_least <= self.last:  # noqa: PLR2004 - one period proves nothing
            raise ValueError(
                "at_least should lie between 2 and last, since one period is no reason to "
                f"retrain; got at_least {self.at_least} and last {self.last}"
            )
        return self


class PastPeriod(FrozenSettings):
    """What was decided in an earlier period."""

    baseline: str
    level: Level
    state: State
    recommendation: Recommendation


class ModelState(FrozenSettings):
    """What is recommended for a model after one period."""

    level: Level
    state: State
    recommendation: Recommendation
    reasons: tuple[StateReason, ...]


def evaluate_model_state(
    evidence: PeriodSummary, baseline: str, history: Sequence[PastPeriod], rules: StateRules
) -> ModelState:
    """The state after a period, and what is recommended.

    State, from the levels of this period and those before it on the same baseline, the unknown
    ones left out:

    | state  | when, the first that holds                                                     |
    |--------|--------------------------------------------------------------------------------|
    | alarm  | `at_least` of the `last` are critical; or it was alarm, and one of the latest  |
    |        | `calm` is critical                                                             |
    | watch  | one of the latest `calm` is not calm                                           |
    | stable | else                                                                           |

    Args:
        baseline: The baseline profile it was compared with. After another one the count begins
            anew, the cool-down does not.
    """
    level = evidence.level(rules.levels)
    same = [past for past in history if past.baseline == baseline]
    known = [each for each in (*(past.level for past in same), level) if each != "unknown"]
    before: State = same[-1].state if same else "stable"
    state = before if level == "unknown" else _compute_state(known, before, rules)
    recommendation, why = _choose_recommendation(
        evidence, level, state, _is_persistent(known, rules)
    )
    lately = history[max(len(history) - rules.cool_down, 0) :]
    if recommendation == "retrain" and "retrain" in {past.recommendation for past in lately}:
        recommendation, why = "investigate", "cool_down"
    return ModelState(
        level=level,
        state=state,
        recommendation=recommendation,
        reasons=(*_list_observed_reasons(evidence, rules.levels), *([why] if why else [])),
    )


def _is_persistent(known: Sequence[Level], rules: StateRules) -> bool:
    return known[-rules.last :].count("critical") >= rules.at_least


def _compute_state(known: Sequence[Level], before: State, rules: StateRules) -> State:
    latest = known[-rules.calm :]
    if _is_persistent(known, rules) or (before == "alarm" and "critical" in latest):
        return "alarm"
    return "stable" if all(level == "calm" for level in latest) else "watch"


def _choose_recommendation(
    evidence: PeriodSummary, level: Level, state: State, persistent: bool
) -> tuple[Recommendation, StateReason | None]:
    """What to do, and why.

    | period   | state  | and                                                   | recommendation |
    |----------|--------|-------------------------------------------------------|----------------|
    | any ROJO | any    | the source broke: `repair_data_first`                 | investigate    |
    | any ROJO | any    | categories are new: `new_categories`                  | investigate    |
    | critical | any    | realised performance fell                             | retrain        |
    | critical | any    | not k of the last n: `population_changed`             | watch          |
    | critical | alarm  | realised performance held: `performance_holds`        | watch          |
    | critical | alarm  | none of these: `persistent`                           | retrain        |
    | critical | any    | retraining, recommended lately: `cool_down`           | investigate    |
    | warning  | alarm  | `alarm_continues`                                     | investigate    |
    | warning  | other  |                                                       | watch          |
    | unknown  | any    | `insufficient_data`: silence is no good news          | watch          |
    | calm     | alarm, watch | `settling`                                      | watch          |
    | calm     | stable | `calm`                                                | nothing        |
    """
    if evidence.cause in EXPLAINED:
        return "investigate", EXPLAINED[evidence.cause]
    if level == "critical":
        return _choose_critical_recommendation(evidence, persistent)
    if level == "warning":
        return ("investigate", "alarm_continues") if state == "alarm" else ("watch", None)
    if level == "unknown":
        return "watch", "insufficient_data"
    return ("nothing", "calm") if state == "stable" else ("watch", "settling")


def _choose_critical_recommendation(
    evidence: PeriodSummary, persistent: bool
) -> tuple[Recommendation, StateReason | None]:
    if evidence.realised == "fell":
        return "retrain", "persistent" if persistent else None
    if not persistent:
        return "watch", "population_changed"
    held = evidence.realised == "held"
    return ("watch", "performance_holds") if held else ("retrain", "persistent")


def _list_observed_reasons(evidence: PeriodSummary, limits: LevelRules) -> Iterator[StateReason]:
    """What was seen in this period, apart from what follows from it."""
    if evidence.realised == "fell":
        yield "realised_performance_fell"
    if evidence.estimated == "fell":
        yield "estimated_performance_fell"
    if evidence.red_share >= limits.critical_share:
        yield "important_columns_moved"
    elif evidence.red or evidence.moved_share >= limits.warning_share:
        yield "columns_moved"


class Wording(NamedTuple):
    """One meaning."""

    es: str
    en: str


STATES: Mapping[State, Wording] = MappingProxyType(
    {
        "stable": Wording("estable", "stable"),
        "watch": Wording("en observación", "under watch"),
        "alarm": Wording("en alarma", "in alarm"),
    }
)

RECOMMENDATIONS: Mapping[Recommendation, Wording] = MappingProxyType(
    {
        "nothing": Wording("No hay que hacer nada.", "Nothing to do."),
        "watch": Wording("Observar el próximo período.", "Watch the next period."),
        "investigate": Wording(
            "Investigar la causa antes de decidir.", "Investigate the cause before deciding."
        ),
        "retrain": Wording(
            "Reentrenar con datos recientes y comparar con el modelo actual.",
            "Retrain on recent data and compare with the present model.",
        ),
    }
)

REASONS: Mapping[StateReason, Wording] = MappingProxyType(
    {
        "calm": Wording(
            "Ninguna variable cambió de forma relevante.", "No column moved in a way that matters."
        ),
        "insufficient_data": Wording(
            "Los datos no alcanzan para afirmar que nada cambió.",
            "There are too few data to say that nothing moved.",
        ),
        "settling": Wording(
            "Este período está en calma; faltan más para darlo por superado.",
            "This period is calm; more are needed to call it over.",
        ),
        "columns_moved": Wording(
            "Cambiaron variables de las que el modelo depende poco, o cambiaron poco.",
            "Columns moved that the model hardly depends on, or moved little.",
        ),
        "important_columns_moved": Wording(
            "Cambiaron de forma crítica variables de las que el modelo depende.",
            "Columns that the model depends on moved critically.",
        ),
        "estimated_performance_fell": Wording(
            "El desempeño estimado sin etiquetas bajó.",
            "Performance estimated without labels fell.",
        ),
        "realised_performance_fell": Wording(
            "El desempeño medido con etiquetas maduras bajó.",
            "Performance measured on mature labels fell.",
        ),
        "persistent": Wording(
            "Se repite en varios de los últimos períodos.", "It recurs in several recent periods."
        ),
        "alarm_continues": Wording(
            "La alarma anterior sigue abierta.", "The earlier alarm is still open."
        ),
        "repair_data_first": Wording(
            "Hay datos que dejaron de llegar, un valor fijo o una unidad que cambió: primero "
            "reparar la fuente.",
            "Data no longer arrive, a value is fixed, or a unit changed: mend the source first.",
        ),
        "new_categories": Wording(
            "Hay categorías que el modelo no conoce: revisarlas y actualizar la lista.",
            "There are categories that the model does not know: review them, update the list.",
        ),
        "population_changed": Wording(
            "Cambió la población y todavía no se repite: revisar umbrales, recalibrar si sigue.",
            "The population changed and it has not recurred yet: review thresholds, recalibrate "
            "if it lasts.",
        ),
        "performance_holds": Wording(
            "El desempeño medido se mantiene a pesar del drift.",
            "Measured performance holds despite the drift.",
        ),
        "cool_down": Wording(
            "Hace poco ya se recomendó reentrenar.", "Retraining was recommended only recently."
        ),
    }
)
