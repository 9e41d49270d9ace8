"""What a model card says first: the verdict, then whatever flatters the champion least.

Before it stands only that labels were made and nobody audited them: then no figure means much.
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
    unaudited, *of_labels = _of_labels(facts)
    told = (
        unaudited,
        opening,
        *of_labels,
        _accuracy_gained(facts),
        other_test_sentence(
            facts.binary, facts.choice["primary_metric"], facts.problem.settings.cases
        ),
        unfair_sentence(facts.binary.fairness),
        _against_required(facts),
        _how_sure(facts),
    )
    return tuple(sentence for sentence in told if sentence is not None)


def _of_labels(facts: CardFacts) -> tuple[str | None, ...]:
    """That labels were not audited; what the model is worth against the truth; what they are."""
    if facts.labels is None:
        return (None,)
    cases = facts.problem.settings.cases
    return (
        unaudited_sentence(facts.labels, cases),
        truth_sentence(facts.labels, cases),
        worth_sentence(facts.labels),
    )


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
