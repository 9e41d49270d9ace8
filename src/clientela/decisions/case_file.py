"""The file of one decision: what the model decides about a case, why, and what would change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.features.columns import NUMBERS, Column, InputField, build_columns
from clientela.models.reasons import MOST_REASONS, explain_decisions
from clientela.registry.manifest import ServedManifest
from clientela.registry.scorers import CompiledScorer
from clientela.serving.case_reader import Case
from clientela.settings_base import FrozenSettings

Decision: TypeAlias = Literal["approve", "refuse", "refer"]

# Plans that are tried at a time on all cases without a change, the cheapest first.
PLANS_AT_A_TIME = 32


class ActionableColumn(FrozenSettings):
    """A number that an applicant can change, and how far.

    Attributes:
        direction: Which way a change may go.
        step: Of one change: in units of the column or, with `relative`, a share of today's value.
        lowest: Least value that is proposed; None: the least that the model learned from.
        highest: Greatest value that is proposed; None: the greatest that it learned from.
        cost: Of one step, to compare proposals by.
        along: Columns that change in the same proportion, such as the instalment with the amount.
    """

    direction: Literal["down", "up"]
    step: PositiveFloat
    relative: bool = False
    lowest: float | None = None
    highest: float | None = None
    cost: PositiveFloat = 1.0
    along: tuple[str, ...] = ()


class SecondPerson(FrozenSettings):
    """From which amount on two people decide."""

    column: str
    above: NonNegativeFloat


class DecisionSettings(FrozenSettings):
    """How decisions about people are told, changed and recorded.

    Attributes:
        actionable: Columns that an applicant can change; nothing else is proposed.
        most_changed: Columns that one proposal changes, at most.
        most_steps: Steps of one column, at most.
        second_person: From which amount on a second person must agree; None: never.
        override_reasons: Code to what it says; whoever departs from the model names one of them.
        country: Whose law the letter names: PE, CO, CL, MX or AR.
        language: Of letters.
        lender: Name of the lender, as letters show it.
        review_contact: How an applicant asks a person to look at the case again.
        labels_en: Field to its name in letters in English.
    """

    actionable: dict[str, ActionableColumn] = {}
    most_changed: Literal[1, 2, 3] = 2
    most_steps: PositiveInt = 10
    second_person: SecondPerson | None = None
    override_reasons: dict[str, str] = Field(
        default={
            "documentos": "documentos que el modelo no ve",
            "dato_corregido": "un dato estaba mal y se corrigió",
            "garantia": "garantía o codeudor",
            "politica": "política de la entidad",
        },
        min_length=1,
    )
    country: Literal["PE", "CO", "CL", "MX", "AR"] = "PE"
    language: Literal["es", "en"] = "es"
    lender: str = "[nombre de la entidad]"
    review_contact: str = "[correo, teléfono u oficina]"
    labels_en: dict[str, str] = {}

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        for name, rule in self.actionable.items():
            if rule.lowest is not None and rule.highest is not None and rule.lowest > rule.highest:
                raise ValueError(f"actionable.{name}: lowest must not be above highest")
        moved = [*self.actionable, *(name for r in self.actionable.values() for name in r.along)]
        if twice := [name for name in moved if moved.count(name) > 1]:
            raise ValueError(f"actionable: {twice[0]!r} is changed by more than one rule")
        return self

    def require_fields(self, manifest: ServedManifest) -> None:
        """Hold the names of the settings against the fields of a model.

        Raises:
            ConfigurationError: A column is no number of the model, or may not decide.
        """
        numbers = {field.name for field in manifest.read if field.kind in NUMBERS}
        fields = {field.name for field in manifest.fields}
        for name, rule in self.actionable.items():
            for column, known in [(name, numbers), *((each, numbers) for each in rule.along)]:
                if column not in known:
                    raise ConfigurationError(
                        f"decisions.actionable.{name}: {column!r} is no number that the model of "
                        f"{manifest.use_case} reads. {did_you_mean(column, known)}"
                    )
        if self.second_person is not None and self.second_person.column not in fields:
            raise ConfigurationError(
                f"decisions.second_person.column: {self.second_person.column!r} is no field of "
                f"{manifest.use_case}. {did_you_mean(self.second_person.column, fields)}"
            )


@dataclass(frozen=True)
class Change:
    """The cheapest change of a case that the model would decide as people hope for.

    Attributes:
        columns: Column to its value before and after, in the units of the data.
        cost: Steps times what each costs.
    """

    columns: Mapping[str, tuple[float, float]]
    cost: float


@dataclass(frozen=True)
class ToldReason:
    """One reason as it is told.

    Attributes:
        sentences: Language to sentence.
        amount: See `clientela.models.reasons.Reason`.
        value: Of the feature that moves the score most; None where it is missing.
    """

    code: str
    sentences: Mapping[str, str]
    amount: float
    feature: str
    value: float | str | None


@dataclass(frozen=True)
class CaseFile:
    """What is known of one decision; holds personal data.

    Attributes:
        decision: Of the model; `refer` where its main reason may not be given.
        score: Probability of the positive class.
        threshold: Probability from which on that class is decided.
        reasons: At most four, the weightiest first; for the decision, whichever it is.
        change: What would change a refusal; None where nothing within bounds does.
        unseen: Fields whose value lies outside what the model learned from.
        imputed: Fields whose value was absent or not believed.
    """

    case: Case
    decision: Decision
    score: float
    threshold: float
    reasons: tuple[ToldReason, ...]
    change: Change | None
    unseen: tuple[str, ...]
    imputed: tuple[str, ...]


def build_case_files(
    scorer: CompiledScorer, cases: Sequence[Case], settings: DecisionSettings
) -> list[CaseFile]:
    """The file of each case, by the package that the API answers from.

    Raises:
        ConfigurationError: The model decides about nobody: it was trained without
            `training.reason_codes`.
    """
    manifest, stored = scorer.manifest, scorer.stored
    if "reasons" not in manifest.model:
        raise ConfigurationError(
            f"The model of {manifest.use_case} knows no reasons of a decision. Set "
            "training.reason_codes for it, then run the training and the deployment stage again."
        )
    settings.require_fields(manifest)
    columns = build_columns(cases, manifest.read)
    answers = scorer.answers(columns)
    X = scorer.layout.frame(scorer.maker(columns))
    values = {name: X[name].tolist() for name in X.columns}
    codes = manifest.model["reasons"]["codes"]
    threshold = float(stored.estimator.thresholds_[manifest.model["decision"]])
    names = [field.name for field in manifest.fields]
    explained_cases = explain_decisions(stored, X, MOST_REASONS)
    refused = [row for row, each in enumerate(explained_cases) if not each.favourable]
    changes = find_cheapest_changes(scorer, columns, refused, settings)
    files = []
    for row, explained in enumerate(explained_cases):
        reasons = tuple(
            ToldReason(
                reason.code,
                {language: codes[reason.code][language] for language in ("es", "en")},
                reason.amount,
                reason.feature,
                _read_value(values[reason.feature][row]),
            )
            for reason in explained.reasons
        )
        decision: Decision = "approve" if explained.favourable else "refuse"
        files.append(
            CaseFile(
                case=cases[row],
                decision="refer" if explained.referred and decision == "refuse" else decision,
                score=float(answers.expected[row]),
                threshold=threshold,
                reasons=reasons,
                change=changes.get(row),
                unseen=_list_flagged(names, answers.unseen[row]),
                imputed=_list_flagged(names, answers.imputed[row]),
            )
        )
    return files


def _read_value(value: Any) -> float | str | None:
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return None
    return value if isinstance(value, str) else float(value)


def _list_flagged(names: Sequence[str], flags: Any) -> tuple[str, ...]:
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)


def find_cheapest_changes(
    scorer: CompiledScorer,
    columns: Mapping[str, Column],
    rows: Sequence[int],
    settings: DecisionSettings,
) -> dict[int, Change]:
    """For each refused case the cheapest change within bounds that the package would approve.

    Every proposal was scored by the package, with those that cost no more.

    Args:
        columns: Field to the values of all cases.
        rows: Positions of the cases to be changed.

    Returns:
        Position to change; without those that no change within bounds leads to an approval.
    """
    favourable = scorer.manifest.model["reasons"]["favourable"]
    fields = {field.name: field for field in scorer.manifest.read}
    left, plans = np.array(rows, dtype=np.intp), iter(_list_plans(settings))
    found: dict[int, Change] = {}
    while len(left) and (batch := list(islice(plans, PLANS_AT_A_TIME))):
        changed: dict[str, Any] = {
            name: np.repeat(values[left], len(batch)) for name, values in columns.items()
        }
        possible = np.ones(len(left) * len(batch), dtype=np.bool_)
        for name, rule in settings.actionable.items():
            steps = np.tile([plan.steps.get(name, 0) for plan in batch], len(left))
            possible &= _change_column(changed, fields[name], rule, steps)
        flips = (scorer.answers(changed).codes == favourable) & possible
        by_case = flips.reshape(len(left), len(batch))
        for place in np.flatnonzero(by_case.any(axis=1)):
            chosen = int(by_case[place].argmax())
            row, at = int(left[place]), place * len(batch) + chosen
            values = {
                name: (float(columns[name][row]), float(changed[name][at]))
                for rule_name in batch[chosen].steps
                for name in (rule_name, *settings.actionable[rule_name].along)
            }
            found[row] = Change(values, batch[chosen].cost)
        left = left[~by_case.any(axis=1)]
    return found


@dataclass(frozen=True)
class ChangePlan:
    """By how many steps which columns change."""

    steps: Mapping[str, int]
    cost: float


def _list_plans(settings: DecisionSettings) -> list[ChangePlan]:
    """Every combination of columns and steps, the cheapest first."""
    counts, plans = range(1, settings.most_steps + 1), []
    for size in range(1, settings.most_changed + 1):
        for names in combinations(settings.actionable, size):
            for steps in product(counts, repeat=size):
                chosen = dict(zip(names, steps, strict=True))
                costs = (count * settings.actionable[name].cost for name, count in chosen.items())
                plans.append(ChangePlan(chosen, sum(costs)))
    return sorted(plans, key=lambda plan: plan.cost)


def _change_column(
    columns: dict[str, Any], field: InputField, rule: ActionableColumn, steps: Any
) -> Any:
    """Puts the changed values in place, and says where that is a change within bounds.

    Args:
        columns: Own arrays, one entry per case and plan.
        steps: Beside them, how many; 0 changes nothing.
    """
    before, sign = columns[field.name], 1.0 if rule.direction == "up" else -1.0
    step = rule.step * np.abs(before) if rule.relative else rule.step
    after = np.round(before + sign * step * steps, 0 if field.kind == "integer" else 2)
    after = np.where(steps == 0, before, after)
    lowest = field.seen_minimum if rule.lowest is None else rule.lowest
    highest = field.seen_maximum if rule.highest is None else rule.highest
    inside = after >= (-np.inf if lowest is None else lowest)
    inside &= after <= (np.inf if highest is None else highest)
    columns[field.name] = after
    for name in rule.along:
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.round(columns[name] * after / before, 2)
        columns[name] = np.where((steps == 0) | (before == 0), columns[name], moved)
    return (steps == 0) | (inside & (after != before) & np.isfinite(before))
