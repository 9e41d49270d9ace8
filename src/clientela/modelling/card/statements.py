"""What a model card says first: the verdict, then whatever flatters the champion least.

Where labels were made, the first thing said is that nobody audited them, or what the champion is
worth against the truth: the verdict compares with the labels.
"""

from clientela.modelling.card.binary_sections import other_test_sentence, unfair_sentence
from clientela.modelling.card.facts import CardFacts
from clientela.modelling.card.label_section import (
    truth_sentence,
    unaudited_sentence,
    worth_sentence,
)
from clientela.modelling.card.verdict import signed, verdict
from clientela.modelling.selection.test_part import CHAMPION
from clientela.reports.numbers import NumberFormat

NUMBERS = NumberFormat()


def card_statements(facts: CardFacts) -> tuple[str, ...]:
    """The verdict, then whatever flatters the champion least.

    Args:
        facts: Artefacts of one run.

    Returns:
        Sentences.
    """
    opening = verdict(facts.choice, facts.grades).sentence
    if facts.binary is None:
        return (opening, _against_required(facts), _how_sure(facts))
    told = (
        *label_warnings(facts),
        opening,
        None if facts.labels is None else worth_sentence(facts.labels),
        _accuracy_gained(facts),
        other_test_sentence(
            facts.binary, facts.choice["primary_metric"], facts.problem.settings.cases
        ),
        unfair_sentence(facts.binary.fairness),
        _against_required(facts),
        _how_sure(facts),
    )
    return tuple(sentence for sentence in told if sentence is not None)


def label_warnings(facts: CardFacts) -> tuple[str, ...]:
    """What is said before any figure where labels were made.

    Args:
        facts: Artefacts of one run.

    Returns:
        That nobody audited them, or what the champion is worth against the truth; nothing where
        people gave the labels.
    """
    if facts.labels is None:
        return ()
    cases = facts.problem.settings.cases
    said = (unaudited_sentence(facts.labels, cases), truth_sentence(facts.labels, cases))
    return tuple(sentence for sentence in said if sentence is not None)


def _accuracy_gained(facts: CardFacts) -> str:
    """The champion's accuracy beside that of the most accurate rule, which it often only equals."""
    models = facts.grades["models"]
    accuracy = {name: figures["accuracy"]["value"] for name, figures in models.items()}
    rule = max(facts.problem.settings.of_role("rule"), key=accuracy.__getitem__)
    own, other = accuracy[CHAMPION], accuracy[rule]
    comparison = "no es mayor que" if own <= other else "frente a"
    return (
        f"La exactitud del campeón en la prueba final, {NUMBERS.text(own, 4)}, {comparison} la de "
        f"la regla «{rule}»: {NUMBERS.text(other, 4)}."
    )


def _against_required(facts: CardFacts) -> str:
    champion, required = facts.choice["champion"], facts.choice["required"]["candidate"]
    if champion["candidate"] == required:
        return f"El campeón es el propio modelo requerido «{required}»."
    gain, error = champion["gain_vs_required"], champion["gain_vs_required_se"]
    return (
        f"Frente al modelo requerido «{required}»: {signed(gain)} en validación cruzada "
        f"(error estándar corregido {NUMBERS.text(error, 3)})."
    )


def _how_sure(facts: CardFacts) -> str:
    metric = facts.choice["primary_metric"]
    test = facts.grades["models"][CHAMPION][metric]
    return (
        f"{metric.upper()} del campeón en la prueba final: {NUMBERS.text(test['value'], 3)} "
        f"(intervalo del 95 %: {NUMBERS.text(test['lower'], 3)} a "
        f"{NUMBERS.text(test['upper'], 3)}; {NUMBERS.text(facts.grades['rows'])} "
        f"{facts.problem.settings.cases})."
    )
