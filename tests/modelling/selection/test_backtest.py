import numpy as np
import pandas as pd
import pytest

from clientela.exceptions import ConfigurationError, LeakageError, TrainingDataError
from clientela.models.ordinal_decision import fit_level_shift, match_class_shares, shift_level
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training import nodes

LEARNED, TESTED = ["2024-01-01", "2023-12-17"], "2024-04-01"
PLAN = {
    "backtests": [{"day": TESTED, "learned": LEARNED}],
    "learned": [TESTED, *LEARNED],
    "learn": "calendar",
}
NO_LEAK = {"refused": []}
CHOICE = {
    "champion": {"candidate": "lineal", "features": "all", "decision": "shares"},
    "params": {"l2": 1.0},
}


@pytest.fixture
def problem(settings):
    lineal = settings["candidates"]["lineal"] | {"decisions": ["shares", "median"]}
    candidates = settings["candidates"] | {"lineal": lineal}
    schema = {
        "key": "id_cliente",
        "target": "target_compra_tecnologia",
        "required": ["gasto_3m", "num_tx_total", "edad"],
        "extra": ["compras_tecnologia_3m"],
        "last_quarter": "compras_tecnologia_3m",
        "classes": ["sin_compra", "baja", "media", "alta"],
        "values": [0.0, 1.0, 2.0, 4.0],
    }
    content = settings | {"candidates": candidates}
    return create_problem("ordinal", schema, TrainingSettings.model_validate(content))


@pytest.fixture
def rows(customers):
    """The same customers on three days, and the rows of the required model."""
    days = [customers.assign(modo="calendar", corte=day) for day in (*LEARNED, TESTED)]
    return pd.concat([*days, customers.assign(modo="required", corte=TESTED)], ignore_index=True)


def test_each_customer_is_learned_from_once_and_on_any_of_the_days(rows, problem):
    learning, test = nodes.select_learning_rows(rows, PLAN, NO_LEAK, problem)
    assert learning["id_cliente"].tolist() == sorted(rows["id_cliente"].unique())
    assert set(learning["corte"]) == set(LEARNED)
    assert set(test["corte"]) == {TESTED}
    assert test["id_cliente"].is_monotonic_increasing
    shuffled = nodes.select_learning_rows(rows.sample(frac=1), PLAN, NO_LEAK, problem)
    assert shuffled[0].equals(learning)
    with pytest.raises(LeakageError):
        nodes.select_learning_rows(
            rows, PLAN, {"refused": ["x"], "sees_the_future": {"x": 1}}, problem
        )


def test_one_class_alone_is_no_question(rows, problem):
    dull = rows.assign(target_compra_tecnologia="sin_compra")
    with pytest.raises(TrainingDataError, match=r"class 'sin_compra'.*features\.category"):
        nodes.select_learning_rows(dull, PLAN, NO_LEAK, problem)


def test_what_came_after_the_tested_day_changes_no_prediction(rows, problem):
    predictions, backtest = nodes.run_backtest(rows, PLAN, CHOICE, problem)
    later = rows["corte"] == TESTED
    came = later & (rows["modo"] == "calendar")
    scrambled = rows.assign(
        target_compra_tecnologia=rows["target_compra_tecnologia"].mask(came, "alta")
    )
    again, other = nodes.run_backtest(scrambled, PLAN, CHOICE, problem)
    same = [name for name in predictions.columns if name != "true"]
    pd.testing.assert_frame_equal(predictions[same], again[same], check_exact=True)
    assert other["dates"][0]["realized"]["alta"] == 1
    assert backtest["dates"][0]["realized"]["alta"] < 1


def test_the_backtest_counts_shares_as_a_plain_loop_does(rows, problem):
    predictions, backtest = nodes.run_backtest(rows, PLAN, CHOICE, problem)
    (day,) = backtest["dates"]
    own = predictions[predictions["model"] == "champion"]
    assert set(predictions["model"]) == {"champion", "required", "mayoria", "ultimo_trimestre"}
    facts = day["models"]["champion"]
    gaps = []
    for code, name in enumerate(problem.schema.classes):
        real = float((own["true"] == code).mean())
        assert day["realized"][name] == pytest.approx(real)
        assert facts["decided"][name] == pytest.approx((own["predicted"] == code).mean())
        assert facts["expected"][name] == pytest.approx(own[f"p_{name}"].mean())
        gaps.append(abs(own[f"p_{name}"].mean() - real))
    assert facts["gap"] == pytest.approx(max(gaps))
    assert day["rows"] == len(own)


def test_scores_can_be_learned_from_the_rows_of_the_required_model(rows, problem, customers):
    plan = PLAN | {"learn": "required"}
    learning, _ = nodes.select_learning_rows(rows, plan, NO_LEAK, problem)
    assert set(learning["modo"]) == {"required"}
    champion = nodes.fit_scoring_model(rows, customers, plan, CHOICE, problem)
    assert champion.manifest["training_rows"] == len(customers)
    dated = nodes.fit_scoring_model(rows, customers, PLAN, CHOICE, problem)
    assert dated.manifest["cutoffs"] == sorted(PLAN["learned"])
    assert dated.manifest["training_rows"] == 3 * len(customers)


def test_scored_customers_unlike_those_of_the_test_are_named_with_the_setting(
    rows, problem, customers
):
    champion = nodes.fit_scoring_model(rows, customers, PLAN, CHOICE, problem)
    _, backtest = nodes.run_backtest(rows, PLAN, CHOICE, problem)
    like = nodes.describe_scored_customers(champion, customers, rows, backtest, problem)
    assert like["warnings"] == []
    assert sum(like["decided"].values()) == pytest.approx(1)
    other = customers.assign(gasto_3m=1e6)
    told = nodes.describe_scored_customers(champion, other, rows, backtest, problem)["warnings"]
    assert any("gasto_3m" in sentence for sentence in told)
    assert all("features.scoring_cutoffs" in sentence for sentence in told)


def test_class_limits_of_shares_give_each_class_its_share():
    rng = np.random.default_rng(2)
    codes = rng.choice(4, 500, p=[0.6, 0.2, 0.15, 0.05])
    score = codes + rng.normal(0, 1.5, 500)
    decided = np.searchsorted(match_class_shares(score, codes, 4), score, side="left")
    assert np.abs(np.bincount(decided) - np.bincount(codes)).max() <= 1
    assert match_class_shares(score, codes * 0, 4).tolist() == [score.max()] * 3


def test_the_level_of_the_latest_rows_is_met_and_probabilities_add_up_to_one():
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet([4, 2, 1, 1], 800)
    codes = rng.choice(4, 800, p=[0.7, 0.2, 0.07, 0.03])
    shifts = fit_level_shift(probabilities, codes)
    moved = shift_level(probabilities, shifts)
    assert moved.mean(axis=0) == pytest.approx(np.bincount(codes) / 800, abs=1e-3)
    assert moved.sum(axis=1) == pytest.approx(np.ones(800))
    assert (moved >= 0).all()
    assert fit_level_shift(probabilities, codes * 0).tolist() == [0, 0, 0]


def test_two_learned_rules_of_one_candidate_are_refused(settings, problem):
    lineal = settings["candidates"]["lineal"] | {"decisions": ["thresholds", "shares"]}
    content = settings | {"candidates": settings["candidates"] | {"lineal": lineal}}
    with pytest.raises(ConfigurationError, match=r"lineal.*thresholds and shares"):
        create_problem(
            "ordinal", problem.schema.model_dump(), TrainingSettings.model_validate(content)
        )
