from dataclasses import replace

import pytest

from clientela.exceptions import CardContradiction
from clientela.modelling.card.checks import check_card
from clientela.modelling.card.explanation import feature_importance
from clientela.modelling.card.facts import CardFacts
from clientela.modelling.card.markdown import markdown
from clientela.modelling.card.page import model_card
from clientela.modelling.schema import class_shares
from clientela.modelling.selection.champion import champion_choice, chosen_variants
from clientela.modelling.selection.cutoff_modes import cutoff_comparison
from clientela.modelling.selection.evaluation import fold_grades
from clientela.modelling.selection.fitting import (
    champion_contender,
    configured_contender,
    fitted_model,
)
from clientela.modelling.selection.test_part import holdout_grades, holdout_predictions
from clientela.modelling.selection.tuning import tuned_candidates, variants
from clientela.reports.numbers import NumberFormat
from clientela.reports.page import html


@pytest.fixture
def facts(train, problem):
    learn, test = train.iloc[:180].reset_index(drop=True), train.iloc[180:]
    tuned = tuned_candidates(learn, problem)
    grades = fold_grades(learn, variants(tuned, problem), problem, "x")
    table, choice = champion_choice(learn, grades, tuned, problem)
    champion = fitted_model(learn, champion_contender(choice), problem)
    others = ("requerido", "mayoria", "ultimo_trimestre")
    models = {"champion": champion} | {
        "required" if name == "requerido" else name: fitted_model(
            learn, configured_contender(name, problem), problem
        )
        for name in others
    }
    predictions = holdout_predictions(test, models, problem)
    return CardFacts(
        problem=problem,
        table=table,
        choice=choice,
        tuned=tuned,
        grades=holdout_grades(predictions, problem),
        predictions=predictions,
        manifest=champion.manifest,
        classes=class_shares(train, problem.schema),
        cutoffs=cutoff_comparison(
            learn, test["id_cliente"], train, chosen_variants(choice, tuned, problem), problem
        ),
        importance=feature_importance(champion, learn, problem.settings.labels),
        leakage={
            "rows": 240,
            "sees_the_future": {},
            "concordance": {"gasto_3m": 0.71, "edad": 0.52},
            "concordance_limit": 0.95,
            "allowed": {"edad": "se conoce al solicitar"},
        },
    )


def test_the_card_agrees_with_its_artefacts_and_opens_with_the_verdict(facts):
    check_card(facts, 240)
    text = markdown(model_card(facts))
    first = text.splitlines()[0]
    assert "la mejor regla de negocio «" in first
    assert "validación cruzada" in first
    for heading in ("Prueba final", "Los dos modos de corte", "Límites"):
        assert f"\n## {heading}\n" in text
    assert text == markdown(model_card(facts))


def test_the_page_is_the_same_bytes_twice_and_names_no_customer(facts):
    page = html(model_card(facts), NumberFormat())
    assert page == html(model_card(facts), NumberFormat())
    assert not any(key in page for key in facts.predictions["id_cliente"])


def test_a_tuning_that_was_cut_short_stands_in_the_card(facts):
    lineal = facts.tuned["lineal"] | {"stopped_early": True}
    cut_short = replace(facts, tuned=facts.tuned | {"lineal": lineal})
    assert "se detuvo por el límite de tiempo" in markdown(model_card(cut_short))


def test_contradictions_fail_the_run(facts):
    lied = facts.choice | {"champion": facts.choice["champion"] | {"qwk": 0.99}}
    untested = facts.grades | {"models": {"champion": facts.grades["models"]["champion"]}}
    better = {"accuracy": {"value": 1.0}}
    flattered = facts.grades | {"models": facts.grades["models"] | {"champion": better}}
    wrong = [
        (replace(facts, table=facts.table.head(0)), "the leaderboard has rows"),
        (replace(facts, predictions=facts.predictions.head(0)), "test predictions have rows"),
        (replace(facts, grades={"rows": 60, "models": {}}), "the champion was tested"),
        (replace(facts, choice=lied), "stands once in the leaderboard, with its figure"),
        (replace(facts, grades=untested), "champion, baseline and best rule were tested"),
        (replace(facts, grades=flattered), "accuracy is that of its predictions"),
        (
            replace(facts, manifest=facts.manifest | {"candidate": "otro"}),
            "the stored champion is the chosen one",
        ),
        (replace(facts, table=facts.table.assign(rps=float("nan"))), "its figures are finite"),
    ]
    for contradicting, message in wrong:
        with pytest.raises(CardContradiction, match=message):
            check_card(contradicting, 240)
    with pytest.raises(CardContradiction, match="training and test part add up"):
        check_card(facts, 241)


def test_the_card_tells_how_leakage_was_looked_for_and_what_was_allowed(facts):
    text = markdown(model_card(facts))
    assert "clientes no cambió ninguna variable" in text
    assert "gasto_3m: concordancia 0,710" in text
    assert "Permitida: edad. Motivo: se conoce al solicitar" in text
