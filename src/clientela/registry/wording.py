"""Models and entries of a registry in words, what flatters least first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from clientela.inference.manifest import Grade, ServedManifest
from clientela.modelling.problem import TASKS
from clientela.registry.base import RegisteredModel


@dataclass(frozen=True)
class Comparison:
    """One measure of a model beside that of the best business rule.

    Attributes:
        measure: Its name.
        grade: Of the model, and of the rule.
        verdict: `worse` or `equal` where the rule is no worse, `not proven` where the interval of
            the model holds the rule's figure, else `better`; `no rule` where none was graded.
    """

    measure: str
    grade: Grade
    verdict: Literal["worse", "equal", "not proven", "better", "no rule"]


def compared(manifest: ServedManifest) -> list[Comparison]:
    """The grades of a model, the least flattering one first.

    Args:
        manifest: What its package says.

    Returns:
        By how much the model gains over the rule, in shares of the larger figure of the two; those
        without a rule last.
    """
    gains = {name: _gain(manifest, name, grade) for name, grade in manifest.grades.items()}
    ordered = sorted(
        manifest.grades.items(),
        key=lambda item: (gains[item[0]] is None, gains[item[0]] or 0.0, item[0]),
    )
    return [Comparison(name, grade, _verdict(grade, gains[name])) for name, grade in ordered]


def _gain(manifest: ServedManifest, name: str, grade: Grade) -> float | None:
    if grade.rule is None:
        return None
    larger = max(abs(grade.value), abs(grade.rule))
    if larger == 0:
        return 0.0
    known = TASKS.get(manifest.task)
    sign = 1.0 if known is None or known.greater_is_better(name) else -1.0
    return sign * (grade.value - grade.rule) / larger


def _verdict(
    grade: Grade, gain: float | None
) -> Literal["worse", "equal", "not proven", "better", "no rule"]:
    if gain is None or grade.rule is None:
        return "no rule"
    if gain <= 0:
        return "worse" if gain < 0 else "equal"
    if grade.lower is None or grade.upper is None:
        return "better"
    return "not proven" if grade.lower <= grade.rule <= grade.upper else "better"


def described(manifest: ServedManifest) -> str:
    """A model in one sentence, against the best rule where it was graded against one.

    Args:
        manifest: What its package says.

    Returns:
        A sentence without a line break.
    """
    rows = manifest.model["training_rows"]
    who = f"{manifest.use_case}, {manifest.role}, learned from {rows} rows"
    metric = manifest.primary_metric or next(iter(manifest.grades), None)
    if metric is None or metric not in manifest.grades:
        return f"{who}."
    grade = manifest.grades[metric]
    verdict = _verdict(grade, _gain(manifest, metric, grade))
    if grade.rule is None:
        return f"{who}; {metric} {interval(grade)}."
    return f"{who}; {metric} {interval(grade)}, best rule {grade.rule:.3f}: {verdict}."


def interval(grade: Grade) -> str:
    """A figure, and how sure it is.

    Args:
        grade: One measure.

    Returns:
        For example `0.701 [0.662, 0.741]`.
    """
    if grade.lower is None or grade.upper is None:
        return f"{grade.value:.3f}"
    return f"{grade.value:.3f} [{grade.lower:.3f}, {grade.upper:.3f}]"


def entry_words(entry: RegisteredModel) -> str:
    """An entry, so that a person finds it.

    Args:
        entry: Of a registry.

    Returns:
        For example `champion 1c2a3b4d5e6f, number 2 of credit-payment-champion (pending)`.
    """
    return f"{entry.role} {entry.version}, number {entry.number} of {entry.group} ({entry.status})"


def registered_sentence(entries: Mapping[str, RegisteredModel]) -> str:
    """What is registered, and the command that approves it where that is still to be done.

    Args:
        entries: Role to its entry; at least one, all of one use case.

    Returns:
        One or two sentences.
    """
    first = next(iter(entries.values()))
    told = "; ".join(entry_words(entry) for entry in entries.values())
    sentence = f"{first.use_case} is registered: {told}."
    pending = [role for role, entry in entries.items() if entry.status == "pending"]
    if not pending:
        return sentence
    option = "" if "champion" in pending else f" --role {pending[0]}"
    return f"{sentence} Approve with: clientela approve {first.use_case}{option}"
