"""Everything that a model card is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any, Literal

import numpy as np
import pandas as pd

from clientela.exceptions import ModelCardError
from clientela.models.problem import Problem
from clientela.models.scoring import CHAMPION, REQUIRED
from clientela.pipelines.training.card_binary import format_secondary_holdout, format_unfair_groups
from clientela.pipelines.training.card_labels import (
    LabelCardData,
    format_label_value,
    format_truth_comparison,
    format_unaudited_warning,
)
from clientela.pipelines.training.holdout_evaluation import BinaryCardData
from clientela.pipelines.training.model_selection import IDENTITY
from clientela.text import NumberFormat

# Everything that a model card is written from.


@dataclass(frozen=True)
class BacktestCardData:
    """What a card tells of scores about the future.

    Attributes:
        backtest: Past days with what was predicted and what came, the most recent first.
        scored: The customers to be scored; their `warnings`.
        shares: Classes at the required cutoff and on the calendar; their `warnings`.
        required_grades: The required model on the test part of its own cutoff.
    """

    backtest: Mapping[str, Any]
    scored: Mapping[str, Any]
    shares: Mapping[str, Any]
    required_grades: Mapping[str, Any]

    @property
    def latest(self) -> Mapping[str, Any]:
        """The most recent day: the test on which nothing was chosen."""
        day: Mapping[str, Any] = self.backtest["dates"][0]
        return day

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes scores or target doubtful, in the readers' language."""
        return (*self.scored["warnings"], *self.shares["warnings"])


@dataclass(frozen=True)
class ModelCardData:
    """The artefacts of one run that a card tells.

    Attributes:
        classes: Class to rows and share, of the whole model input.
        backtest: What only a model that scores customers as of today has; None for another one.
        binary: What only a binary model has; None for another task type.
        labels: What is known of labels that were made; None where people gave them.
    """

    problem: Problem
    table: pd.DataFrame
    choice: Mapping[str, Any]
    tuned: Mapping[str, Any]
    grades: Mapping[str, Any]
    predictions: pd.DataFrame
    manifest: Mapping[str, Any]
    classes: Mapping[str, Any]
    importance: list[dict[str, Any]]
    leakage: Mapping[str, Any]
    backtest: "BacktestCardData | None" = None
    binary: BinaryCardData | None = None
    labels: LabelCardData | None = None


# Does the champion beat the best business rule: one answer, for card and run summary.


# Corrected standard errors by which the gain must exceed zero: some 95 % confidence.
STANDARD_ERRORS = 2.0

DECIMALS = 3

OPENINGS = {
    "yes": "El campeón «{champion}» supera a la mejor regla de negocio «{rule}»",
    "unclear": (
        "No está demostrado que el campeón «{champion}» supere a la mejor regla de negocio «{rule}»"
    ),
    "no": "El campeón «{champion}» NO supera a la mejor regla de negocio «{rule}»",
}


@dataclass(frozen=True)
class ChampionVerdict:
    """How the champion compares with the best business rule.

    Attributes:
        beats: `yes` if it gains in cross-validation by more than two corrected standard errors
            and gains in every test; `no` if one of the gains is not positive; else `unclear`.
        sentence: The same in words: the gain on what came later first, then the less flattering.
    """

    beats: Literal["yes", "unclear", "no"]
    sentence: str


def judge_champion(facts: ModelCardData) -> ChampionVerdict:
    """The one verdict: of the backtest where there is one, else of cross-validation and tests."""
    if facts.backtest is not None:
        return compare_on_backtest(facts, facts.backtest)
    secondary = None if facts.binary is None else facts.binary.other
    return compare_with_best_rule(facts.choice, facts.grades, secondary)


def compare_with_best_rule(
    choice: Mapping[str, Any],
    grades: Mapping[str, Any],
    secondary: Mapping[str, Any] | None = None,
) -> ChampionVerdict:
    """The verdict of cross-validation and test together, and of what came later where it is known.

    Args:
        secondary: The metrics of the test part that was not chosen; what came later is told first.
    """
    champion, rule = choice["champion"], choice["best_rule"]["candidate"]
    in_cv, error = champion["gain_vs_rule"], champion["gain_vs_rule_se"]
    in_test = grades["champion_gains"][rule]
    gains = sorted(
        [(in_cv, _describe_cv_gain(champion)), (in_test["value"], _describe_test_gain(in_test))]
    )
    if secondary is not None and secondary.get("holdout") == "time":
        later = secondary["champion_gains"][rule]
        words = _describe_test_gain(later, "en la prueba fuera de tiempo")
        gains.insert(0, (later["value"], words))
    beats: Literal["yes", "unclear", "no"] = "unclear"
    if min(value for value, _ in gains) <= 0:
        beats = "no"
    elif in_cv > STANDARD_ERRORS * error:
        beats = "yes"
    metric = str(choice["primary_metric"]).upper()
    opening = OPENINGS[beats].format(champion=champion["candidate"], rule=rule)
    return ChampionVerdict(
        beats, f"{opening}: {'; '.join(words for _, words in gains)} ({metric})."
    )


def compare_on_backtest(facts: "ModelCardData", days: BacktestCardData) -> ChampionVerdict:
    """The verdict of the most recent past day: `yes` if the whole interval of the gain is positive.

    The rule is the one that did best on that day.
    """
    metric, latest = str(facts.choice["primary_metric"]), days.latest
    rules = list(facts.problem.settings.filter_by_role("rule"))
    # the last of equally good ones is the least trivial
    rule = min(reversed(rules), key=lambda name: latest["gains"][name]["value"])
    gain = latest["gains"][rule]
    beats: Literal["yes", "unclear", "no"] = "unclear"
    if gain["value"] <= 0:
        beats = "no"
    elif gain["lower"] > 0:
        beats = "yes"
    own = latest["models"][CHAMPION]
    value, lower, upper = (format_signed_number(gain[part]) for part in ("value", "lower", "upper"))
    opening = OPENINGS[beats].format(champion=facts.choice["champion"]["candidate"], rule=rule)
    return ChampionVerdict(
        beats,
        f"{opening} en la prueba hacia atrás del {latest['day']}, con todo lo posterior oculto: "
        f"{value} (intervalo del 95 %: de {lower} a {upper}) ({metric.upper()}). La participación "
        f"prevista de cada clase queda a lo sumo a {_points(own['gap'])} puntos de la real (la de "
        f"clientes asignados, a {_points(own['decided_gap'])}); error de calibración "
        f"{NUMBERS.text(own['calibration_error'], 3)}.",
    )


def _points(share: float) -> str:
    return NUMBERS.text(100 * share, 1)


def format_signed_number(value: float) -> str:
    """A difference with its sign, as Spanish writes it."""
    return ("+" if value >= 0 else "") + NumberFormat().text(value, DECIMALS)


def _describe_cv_gain(champion: Mapping[str, Any]) -> str:
    spread, error = (
        NumberFormat().text(champion[f"gain_vs_rule_{part}"], DECIMALS) for part in ("sd", "se")
    )
    return (
        f"{format_signed_number(champion['gain_vs_rule'])} en validación cruzada "
        f"(desviación entre pliegues {spread}, error estándar corregido {error})"
    )


def _describe_test_gain(gain: Mapping[str, float], where: str = "en la prueba final") -> str:
    value, lower, upper = (format_signed_number(gain[part]) for part in ("value", "lower", "upper"))
    return f"{value} {where} (intervalo del 95 %: de {lower} a {upper})"


# What a model card says first: the verdict, then whatever flatters the champion least.
#
# Where labels were made, the first thing said is that nobody audited them, or what the champion is
# worth against the truth: the verdict compares with the labels.


NUMBERS = NumberFormat()


def build_card_statements(facts: ModelCardData) -> tuple[str, ...]:
    """The verdict, then whatever flatters the champion least."""
    if facts.backtest is not None:
        return _build_backtest_statements(facts, facts.backtest)
    opening = judge_champion(facts).sentence
    if facts.binary is None:
        return (opening, _compare_with_required(facts), _format_test_interval(facts))
    statements = (
        *list_label_warnings(facts),
        opening,
        None if facts.labels is None else format_label_value(facts.labels),
        _compare_accuracy_with_rule(facts),
        format_secondary_holdout(
            facts.binary, facts.choice["primary_metric"], facts.problem.settings.cases
        ),
        format_unfair_groups(facts.binary.fairness),
        _compare_with_required(facts),
        _format_test_interval(facts),
    )
    return tuple(sentence for sentence in statements if sentence is not None)


def _build_backtest_statements(facts: ModelCardData, told: BacktestCardData) -> tuple[str, ...]:
    metric, required = str(facts.choice["primary_metric"]), facts.choice["required"]["candidate"]
    learned = facts.manifest["cutoffs"]
    gain = told.latest["gains"][REQUIRED]
    value, lower, upper = (format_signed_number(gain[part]) for part in ("value", "lower", "upper"))
    own = told.required_grades["models"][REQUIRED][metric]
    where = (
        f"{len(learned)} cortes de calendario, del {learned[0]} al {learned[-1]}"
        if told.backtest["learn"] == "calendar"
        else "el corte requerido (features.scoring_cutoffs.learn: required)"
    )
    against_required = (
        f"Frente al modelo requerido «{required}» tal como habría sido ese día: {value} "
        f"(intervalo del 95 %: de {lower} a {upper})."
    )
    learned_from = (
        f"Después de la prueba, el campeón que puntúa clientes se ajustó de nuevo con {where}. El "
        "modelo requerido, sus archivos y sus medidas son los del corte requerido: "
        f"{metric.upper()} {NUMBERS.text(own['value'], 3)} en su propia parte de prueba, que no "
        "dice cómo puntúa el próximo trimestre."
    )
    verdict = judge_champion(facts).sentence
    return (verdict, *told.warnings, against_required, learned_from)


def list_label_warnings(facts: ModelCardData) -> tuple[str, ...]:
    """What is said before any figure where labels were made.

    Returns:
        That nobody audited them, or what the champion is worth against the truth; nothing where
        people gave the labels.
    """
    if facts.labels is None:
        return ()
    cases = facts.problem.settings.cases
    sentences = (
        format_unaudited_warning(facts.labels, cases),
        format_truth_comparison(facts.labels, cases),
    )
    return tuple(sentence for sentence in sentences if sentence is not None)


def _compare_accuracy_with_rule(facts: ModelCardData) -> str:
    """The champion's accuracy beside that of the most accurate rule, which it often only equals."""
    models = facts.grades["models"]
    accuracy = {name: figures["accuracy"]["value"] for name, figures in models.items()}
    rule = max(facts.problem.settings.filter_by_role("rule"), key=accuracy.__getitem__)
    own, other = accuracy[CHAMPION], accuracy[rule]
    comparison = "no es mayor que" if own <= other else "frente a"
    return (
        f"La exactitud del campeón en la prueba final, {NUMBERS.text(own, 4)}, {comparison} la de "
        f"la regla «{rule}»: {NUMBERS.text(other, 4)}."
    )


def _compare_with_required(facts: ModelCardData) -> str:
    champion, required = facts.choice["champion"], facts.choice["required"]["candidate"]
    if champion["candidate"] == required:
        return f"El campeón es el propio modelo requerido «{required}»."
    gain, error = champion["gain_vs_required"], champion["gain_vs_required_se"]
    return (
        f"Frente al modelo requerido «{required}»: {format_signed_number(gain)} en validación "
        f"cruzada (error estándar corregido {NUMBERS.text(error, 3)})."
    )


def _format_test_interval(facts: ModelCardData) -> str:
    metric = facts.choice["primary_metric"]
    test = facts.grades["models"][CHAMPION][metric]
    return (
        f"{metric.upper()} del campeón en la prueba final: {NUMBERS.text(test['value'], 3)} "
        f"(intervalo del 95 %: {NUMBERS.text(test['lower'], 3)} a "
        f"{NUMBERS.text(test['upper'], 3)}; {NUMBERS.text(facts.grades['rows'])} "
        f"{facts.problem.settings.cases})."
    )


# The few figures that a run ends with.


def build_training_summary(facts: ModelCardData, rows: int) -> dict[str, Any]:
    """The champion against the best business rule and the required baseline, in one mapping.

    Returns:
        JSON-ready figures of the primary metric: cross-validation means, the test with its 95 %
        interval, and the verdict.
    """
    choice, grades = facts.choice, facts.grades
    metric, champion = choice["primary_metric"], choice["champion"]
    verdict = judge_champion(facts)
    if facts.backtest is None:
        sentences = (*list_label_warnings(facts), verdict.sentence)
    else:
        sentences = (verdict.sentence, *facts.backtest.warnings)
    test = grades["models"][CHAMPION][metric]
    return {
        "rows": rows,
        "metric": metric,
        "champion": champion["candidate"],
        "decision": champion["decision"],
        "champion_cv": champion[metric],
        "champion_cv_sd": champion[f"{metric}_sd"],
        "best_rule": choice["best_rule"]["candidate"],
        "best_rule_cv": choice["best_rule"][metric],
        "required": choice["required"]["candidate"],
        "required_cv": choice["required"][metric],
        "champion_test": test["value"],
        "ci": [test["lower"], test["upper"]],
        "beats_best_rule": verdict.beats == "yes",
        "sentence": " ".join(sentences),
    }


# A card that can't lie: figures that are missing or contradict each other fail the run.


def check_card(facts: ModelCardData, rows: int) -> None:
    """Refuse to write a card from artefacts that do not belong together."""
    _check_not_empty(facts.table, facts.grades, facts.predictions)
    _check_champion(facts)
    predictions = facts.predictions[facts.predictions["model"] == CHAMPION]
    hits = float((predictions["true"] == predictions["predicted"]).mean())
    graded, manifest = facts.grades, facts.manifest
    _require_facts(
        {
            "training and test part add up": facts.backtest is not None
            or manifest["training_rows"] + graded["rows"] == rows,
            "the backtest is the test": facts.backtest is None
            or facts.backtest.latest["rows"] == graded["rows"],
            "the classes add up": sum(c["rows"] for c in facts.classes.values()) == rows,
            "every test row was graded": len(predictions) == graded["rows"],
            "the champion's accuracy is that of its predictions": isclose(
                hits, graded["models"][CHAMPION]["accuracy"]["value"]
            ),
        }
    )


def _check_champion(facts: ModelCardData) -> None:
    table, champion = facts.table, facts.choice["champion"]
    metric, rule = facts.choice["primary_metric"], facts.choice["best_rule"]["candidate"]
    same = (table[list(IDENTITY)] == [champion[name] for name in IDENTITY]).all(axis=1)
    listed = table.loc[same, metric].tolist()
    _require_facts(
        {
            "the champion stands once in the leaderboard, with its figure": len(listed) == 1
            and isclose(listed[0], champion[metric]),
            "no rule is champion": champion["role"] != "rule",
            "the stored champion is the chosen one": (
                facts.manifest["candidate"] == champion["candidate"]
            ),
            "the primary metric is the same everywhere": facts.manifest["primary_metric"] == metric,
            "champion, baseline and best rule were tested": (
                {CHAMPION, REQUIRED, rule} <= set(facts.grades["models"])
            ),
        }
    )


def _check_not_empty(
    table: pd.DataFrame, grades: Mapping[str, Any], predictions: pd.DataFrame
) -> None:
    _require_facts(
        {
            "the leaderboard has rows": len(table) > 0,
            "its figures are finite": bool(
                np.isfinite(table.select_dtypes("number").to_numpy(dtype=np.float64)).all()
            ),
            "the test has graded models": bool(grades.get("models")),
            "the champion was tested": CHAMPION in grades.get("models", {}),
            "the test predictions have rows": len(predictions) > 0,
        }
    )


def _require_facts(facts: Mapping[str, bool]) -> None:
    broken = [fact for fact, holds in facts.items() if not holds]
    if broken:
        raise ModelCardError(
            f"The model card would contradict the run's own artefacts; this should hold: "
            f"{'; '.join(broken)}. Artefacts of different runs may have been mixed: run the whole "
            "training stage again."
        )
