"""What to do about a model: one period raises a question, several answer it.

Retraining on the first bad month learns a holiday or a broken file. So a model's state rises only
when k of the last n periods are critical, falls only after some calm ones, and a retraining is
recommended at most once in a while.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, model_validator

from clientela.drift.evidence import Level, LevelRules, PeriodEvidence

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
    "not_yet_persistent",
    "persistent",
    "alarm_continues",
    "repair_data_first",
    "performance_holds",
    "cool_down",
]

BROKEN = 0.5
"""Share of the moved importance from which the data, not the population, are to blame."""


class StateRules(BaseModel):
    """How many periods it takes.

    Attributes:
        last: Periods looked back on, the present one included; unknown ones are skipped.
        at_least: So many of them critical make an alarm; never one alone.
        calm: Periods in a row without a critical one that end an alarm, and without a warning that
            end a watch.
        cool_down: Periods after a recommended retraining in which none is recommended again.
        levels: What makes a period critical.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    last: PositiveInt = 3
    at_least: PositiveInt = 2
    calm: PositiveInt = 2
    cool_down: NonNegativeInt = 3
    levels: LevelRules = LevelRules()

    @model_validator(mode="after")
    def _several_of_the_last(self) -> Self:
        if not 2 <= self.at_least <= self.last:  # noqa: PLR2004 - one period proves nothing
            raise ValueError(
                "at_least should lie between 2 and last, since one period is no reason to "
                f"retrain; got at_least {self.at_least} and last {self.last}"
            )
        return self


class PastPeriod(BaseModel):
    """What was decided in an earlier period.

    Attributes:
        baseline: Of which baseline profile.
        level: The period's own level.
        state: The model's state after it.
        recommendation: What was recommended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    baseline: str
    level: Level
    state: State
    recommendation: Recommendation


class ModelState(BaseModel):
    """What is recommended for a model after one period.

    Attributes:
        level: The period's own level.
        state: The model's state.
        recommendation: What to do.
        reasons: Why, as codes; at least one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Level
    state: State
    recommendation: Recommendation
    reasons: tuple[StateReason, ...]


def model_state(
    evidence: PeriodEvidence, baseline: str, history: Sequence[PastPeriod], rules: StateRules
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

    Recommendation:

    | period   | state  | and                                                   | recommendation |
    |----------|--------|-------------------------------------------------------|----------------|
    | critical | any    | not k of the last n: `not_yet_persistent`             | investigate    |
    | critical | alarm  | most of what moved went missing: `repair_data_first`  | investigate    |
    | critical | alarm  | realised performance held: `performance_holds`        | investigate    |
    | critical | alarm  | a retraining was recommended lately: `cool_down`      | investigate    |
    | critical | alarm  | none of these: `persistent`                           | retrain        |
    | warning  | alarm  | `alarm_continues`                                     | investigate    |
    | warning  | other  |                                                       | watch          |
    | unknown  | any    | `insufficient_data`: silence is no good news          | watch          |
    | calm     | alarm, watch | `settling`                                      | watch          |
    | calm     | stable | `calm`                                                | nothing        |

    Args:
        evidence: This period.
        baseline: The baseline profile it was compared with. After another one the count begins
            anew, the cool-down does not.
        history: Earlier periods, oldest first, this one not among them.
        rules: How many periods it takes.

    Returns:
        What to write down and to show.
    """
    level = evidence.level(rules.levels)
    same = [past for past in history if past.baseline == baseline]
    known = [each for each in (*(past.level for past in same), level) if each != "unknown"]
    before: State = same[-1].state if same else "stable"
    state = before if level == "unknown" else _state(known, before, rules)
    recommendation, why = _recommended(evidence, level, state, _persistent(known, rules))
    if recommendation == "retrain" and _cooling_down(history, rules):
        recommendation, why = "investigate", "cool_down"
    return ModelState(
        level=level,
        state=state,
        recommendation=recommendation,
        reasons=(*_observed(evidence, rules.levels), *([why] if why else [])),
    )


def _persistent(known: Sequence[Level], rules: StateRules) -> bool:
    return known[-rules.last :].count("critical") >= rules.at_least


def _state(known: Sequence[Level], before: State, rules: StateRules) -> State:
    latest = known[-rules.calm :]
    if _persistent(known, rules) or (before == "alarm" and "critical" in latest):
        return "alarm"
    return "stable" if all(level == "calm" for level in latest) else "watch"


def _cooling_down(history: Sequence[PastPeriod], rules: StateRules) -> bool:
    lately = history[max(len(history) - rules.cool_down, 0) :]
    return any(past.recommendation == "retrain" for past in lately)


def _recommended(
    evidence: PeriodEvidence, level: Level, state: State, persistent: bool
) -> tuple[Recommendation, StateReason | None]:
    if level == "critical":
        return _on_a_critical_period(evidence, persistent)
    if level == "warning":
        return ("investigate", "alarm_continues") if state == "alarm" else ("watch", None)
    if level == "unknown":
        return "watch", "insufficient_data"
    return ("nothing", "calm") if state == "stable" else ("watch", "settling")


def _on_a_critical_period(
    evidence: PeriodEvidence, persistent: bool
) -> tuple[Recommendation, StateReason]:
    if not persistent:
        return "investigate", "not_yet_persistent"
    if evidence.broken_share > BROKEN * evidence.red_share:
        return "investigate", "repair_data_first"
    if evidence.realised == "held":
        return "investigate", "performance_holds"
    return "retrain", "persistent"


def _observed(evidence: PeriodEvidence, limits: LevelRules) -> Iterator[StateReason]:
    """What was seen in this period, apart from what follows from it."""
    if evidence.realised == "fell":
        yield "realised_performance_fell"
    if evidence.estimated == "fell":
        yield "estimated_performance_fell"
    if evidence.red_share >= limits.critical_share:
        yield "important_columns_moved"
    elif evidence.red or evidence.moved_share >= limits.warning_share:
        yield "columns_moved"
