from dataclasses import replace

import pytest

from clientela.exceptions import ModelCardError
from clientela.models.scoring import compute_holdout_metrics, predict_holdout
from clientela.models.training_data import class_shares
from clientela.pipelines.training.card_summary import BacktestCardData, ModelCardData, check_card
from clientela.pipelines.training.card_tables import compute_feature_importance
from clientela.pipelines.training.model_card import build_model_card_page
from clientela.pipelines.training.model_selection import (
    evaluate_on_folds,
    fit_model,
    get_champion_candidate,
    get_configured_candidate,
    list_candidate_configs,
    select_champion,
    tune_candidates,
)
from clientela.pipelines.training.nodes import describe_backtest
from clientela.reporting.page import render_html, render_markdown
from clientela.text import NumberFormat


@pytest.fixture
def facts(train, problem):
    learn, test = train.iloc[:180].reset_index(drop=True), train.iloc[180:]
    tuned = tune_candidates(learn, problem)
    grades = evaluate_on_folds(learn, list_candidate_configs(tuned, problem), problem, "x")
    table, choice = select_champion(learn, grades, tuned, problem)
    champion = fit_model(learn, get_champion_candidate(choice), problem)
    others = ("requerido", "mayoria", "ultimo_trimestre")
    models = {"champion": champion} | {
        "required" if name == "requerido" else name: fit_model(
            learn, get_configured_candidate(name, problem), problem
        )
        for name in others
    }
    predictions = predict_holdout(test, models, problem)
    grades = compute_holdout_metrics(predictions, problem)
    day = {"day": "2024-04-01"} | describe_backtest(predictions, problem)
    return ModelCardData(
        problem=problem,
        table=table,
        choice=choice,
        tuned=tuned,
        grades=grades,
        predictions=predictions,
        manifest=champion.manifest | {"cutoffs": ["2024-01-01", "2024-04-01"]},
        classes=class_shares(train, problem.schema),
        backtest=BacktestCardData(
            backtest={"dates": [day], "learn": "calendar"},
            scored={"warnings": ["Los clientes por puntuar son otros."]},
            shares={"warnings": []},
            required_grades=grades,
        ),
        importance=compute_feature_importance(champion, learn, problem.settings.labels),
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
    text = render_markdown(build_model_card_page(facts))
    first = text.splitlines()[0]
    assert "la mejor regla de negocio «" in first
    assert "en la prueba hacia atrás del 2024-04-01" in first
    assert "Los clientes por puntuar son otros." in text.split("\n## ", maxsplit=1)[0]
    for heading in ("Prueba hacia atrás", "Prueba final", "Límites"):
        assert f"\n## {heading}\n" in text
    assert text == render_markdown(build_model_card_page(facts))


def test_the_page_is_the_same_bytes_twice_and_names_no_customer(facts):
    page = render_html(build_model_card_page(facts), NumberFormat())
    assert page == render_html(build_model_card_page(facts), NumberFormat())
    assert not any(key in page for key in facts.predictions["id_cliente"])


def test_a_tuning_that_was_cut_short_stands_in_the_card(facts):
    lineal = facts.tuned["lineal"] | {"stopped_early": True}
    cut_short = replace(facts, tuned=facts.tuned | {"lineal": lineal})
    assert "se detuvo por el límite de tiempo" in render_markdown(build_model_card_page(cut_short))


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
        with pytest.raises(ModelCardError, match=message):
            check_card(contradicting, 240)
    other_day = {"dates": [facts.backtest.latest | {"rows": 59}], "learn": "calendar"}
    mixed = replace(facts, backtest=replace(facts.backtest, backtest=other_day))
    with pytest.raises(ModelCardError, match="the backtest is the test"):
        check_card(mixed, 240)
    with pytest.raises(ModelCardError, match="training and test part add up"):
        check_card(replace(facts, backtest=None), 241)


def test_the_card_tells_how_leakage_was_looked_for_and_what_was_allowed(facts):
    text = render_markdown(build_model_card_page(facts))
    assert "clientes no cambió ninguna variable" in text
    assert "gasto_3m: concordancia 0,710" in text
    assert "Permitida: edad. Motivo: se conoce al solicitar" in text
