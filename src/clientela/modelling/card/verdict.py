"""Does the champion beat the best business rule: one answer, for card and run summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from clientela.reports.numbers import NumberFormat

STANDARD_ERRORS = 2.0
"""Corrected standard errors by which the gain must exceed zero: some 95 % confidence."""

DECIMALS = 3

OPENINGS = {
    "yes": "El campeón «{champion}» supera a la mejor regla de negocio «{rule}»",
    "unclear": (
        "No está demostrado que el campeón «{champion}» supere a la mejor regla de negocio «{rule}»"
    ),
    "no": "El campeón «{champion}» NO supera a la mejor regla de negocio «{rule}»",
}


@dataclass(frozen=True)
class Verdict:
    """How the champion compares with the best business rule.

    Attributes:
        beats: `yes` if it gains in cross-validation by more than two corrected standard errors
            and gains in the test; `no` if one of the two gains is not positive; else `unclear`.
        sentence: The same in words, with both gains, the less flattering one first.
    """

    beats: Literal["yes", "unclear", "no"]
    sentence: str


def verdict(choice: Mapping[str, Any], grades: Mapping[str, Any]) -> Verdict:
    """The verdict of cross-validation and test together.

    Args:
        choice: See `clientela.modelling.selection.champion.champion_choice`.
        grades: See `clientela.modelling.selection.test_part.holdout_grades`.

    Returns:
        The verdict.
    """
    champion, rule = choice["champion"], choice["best_rule"]["candidate"]
    in_cv, error = champion["gain_vs_rule"], champion["gain_vs_rule_se"]
    in_test = grades["champion_gains"][rule]
    beats: Literal["yes", "unclear", "no"] = "unclear"
    if min(in_cv, in_test["value"]) <= 0:
        beats = "no"
    elif in_cv > STANDARD_ERRORS * error:
        beats = "yes"
    metric = str(choice["primary_metric"]).upper()
    told = sorted([(in_cv, _cv_words(champion)), (in_test["value"], _test_words(in_test))])
    opening = OPENINGS[beats].format(champion=champion["candidate"], rule=rule)
    return Verdict(beats, f"{opening}: {'; '.join(words for _, words in told)} ({metric}).")


def signed(value: float) -> str:
    """A difference with its sign, as Spanish writes it.

    Args:
        value: The difference.

    Returns:
        For example `+0,071`.
    """
    return ("+" if value >= 0 else "") + NumberFormat().text(value, DECIMALS)


def _cv_words(champion: Mapping[str, Any]) -> str:
    spread, error = (
        NumberFormat().text(champion[f"gain_vs_rule_{part}"], DECIMALS) for part in ("sd", "se")
    )
    return (
        f"{signed(champion['gain_vs_rule'])} en validación cruzada "
        f"(desviación entre pliegues {spread}, error estándar corregido {error})"
    )


def _test_words(gain: Mapping[str, float]) -> str:
    return (
        f"{signed(gain['value'])} en la prueba final "
        f"(intervalo del 95 %: de {signed(gain['lower'])} a {signed(gain['upper'])})"
    )
