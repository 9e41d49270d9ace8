from types import SimpleNamespace

import pytest

from clientela.pipelines.training.card_summary import (
    BacktestCardData,
    build_training_summary,
    compare_on_backtest,
    compare_with_best_rule,
    format_signed_number,
)


def facts(in_cv, error, in_test):
    champion = {
        "candidate": "lineal", "decision": "median", "qwk": 0.48, "qwk_sd": 0.03,
        "gain_vs_rule": in_cv, "gain_vs_rule_sd": 0.02, "gain_vs_rule_se": error,
    }  # fmt: skip
    choice = {
        "primary_metric": "qwk",
        "champion": champion,
        "best_rule": {"candidate": "ultimo_trimestre", "qwk": 0.4},
        "required": {"candidate": "requerido", "qwk": 0.39},
    }
    gain = {"value": in_test, "std": 0.03, "lower": in_test - 0.06, "upper": in_test + 0.06}
    test = {"value": 0.47, "std": 0.03, "lower": 0.41, "upper": 0.53}
    grades = {"champion_gains": {"ultimo_trimestre": gain}, "models": {"champion": {"qwk": test}}}
    return choice, grades


@pytest.mark.parametrize(
    ("in_cv", "error", "in_test", "beats"),
    [
        (0.08, 0.02, 0.05, "yes"),
        (0.08, 0.05, 0.05, "unclear"),
        (0.08, 0.02, -0.01, "no"),
        (0.0, 0.02, 0.05, "no"),
        (-0.03, 0.02, -0.05, "no"),
    ],
)
def test_only_a_clear_gain_that_the_test_confirms_beats_the_rule(in_cv, error, in_test, beats):
    assert compare_with_best_rule(*facts(in_cv, error, in_test)).beats == beats


def test_the_less_flattering_figure_comes_first():
    sentence = compare_with_best_rule(*facts(0.08, 0.02, 0.05)).sentence
    assert sentence.startswith("El campeón «lineal» supera a la mejor regla")
    assert sentence.index("+0,050") < sentence.index("+0,080")
    sentence = compare_with_best_rule(*facts(0.03, 0.01, 0.05)).sentence
    assert sentence.index("+0,030") < sentence.index("+0,050")


@pytest.mark.parametrize(("later", "beats"), [(0.02, "yes"), (-0.02, "no")])
def test_what_came_later_is_told_first_and_can_refuse_the_verdict(later, beats):
    gain = {"value": later, "lower": later - 0.05, "upper": later + 0.05}
    secondary = {"holdout": "time", "champion_gains": {"ultimo_trimestre": gain}}
    verdict = compare_with_best_rule(*facts(0.08, 0.02, 0.01), secondary)
    assert verdict.beats == beats
    assert verdict.sentence.index("fuera de tiempo") < verdict.sentence.index("+0,010")


def test_a_champion_that_does_not_beat_the_rule_says_so():
    sentence = compare_with_best_rule(*facts(0.02, 0.02, -0.01)).sentence
    assert "NO supera a la mejor regla de negocio «ultimo_trimestre»: -0,010" in sentence


def test_the_headline_carries_the_verdict():
    choice, grades = facts(0.08, 0.02, 0.05)
    told = SimpleNamespace(choice=choice, grades=grades, backtest=None, labels=None, binary=None)
    found = build_training_summary(told, 240)
    assert found["beats_best_rule"] is True
    assert found["sentence"] == compare_with_best_rule(choice, grades).sentence
    assert (found["rows"], found["champion_test"], found["ci"]) == (240, 0.47, [0.41, 0.53])
    assert (found["champion_cv"], found["best_rule_cv"], found["required_cv"]) == (0.48, 0.4, 0.39)


@pytest.mark.parametrize(("value", "text"), [(0.0714, "+0,071"), (-0.2, "-0,200"), (0.0, "+0,000")])
def test_differences_carry_their_sign(value, text):
    assert format_signed_number(value) == text


@pytest.mark.parametrize(
    ("gain", "lower", "beats", "words"),
    [
        (0.1, 0.04, "yes", "supera a la mejor regla"),
        (0.02, -0.01, "unclear", "No está demostrado"),
        (-0.03, -0.08, "no", "NO supera"),
    ],
)
def test_on_past_days_the_whole_interval_decides_and_the_first_sentence_says_it(
    problem, gain, lower, beats, words
):
    choice, grades = facts(0.08, 0.02, 0.05)
    interval = {"value": gain, "lower": lower, "upper": gain + 0.06}
    day = {
        "day": "2024-04-01",
        "rows": 60,
        "gains": {"ultimo_trimestre": interval, "mayoria": interval | {"value": gain + 0.4}},
        "models": {"champion": {"gap": 0.021, "decided_gap": 0.034, "calibration_error": 0.015}},
    }
    told = BacktestCardData(
        backtest={"dates": [day], "learn": "calendar"},
        scored={"warnings": ["Un aviso."]},
        shares={"warnings": ["Otro aviso."]},
        required_grades={},
    )
    card = SimpleNamespace(choice=choice, grades=grades, backtest=told, problem=problem)
    verdict = compare_on_backtest(card, told)
    assert verdict.beats == beats
    assert words in verdict.sentence
    assert "«ultimo_trimestre» en la prueba hacia atrás del 2024-04-01" in verdict.sentence
    assert "2,1 puntos" in verdict.sentence
    sentence = build_training_summary(card, 240)["sentence"]
    assert sentence == f"{verdict.sentence} Un aviso. Otro aviso."
