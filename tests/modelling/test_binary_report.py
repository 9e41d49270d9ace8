import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from tests.modelling.binary_cases import loans, problem, untuned

from clientela.models.scoring import predict_holdout, select_model_predictions
from clientela.pipelines.training.card_binary import _build_points_section, format_learned_rows
from clientela.pipelines.training.holdout_evaluation import (
    build_decision_tables,
    find_rarer_class_code,
    fit_baselines,
    required_models_table,
    split_holdout,
    threshold_table,
)
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate


@pytest.fixture(scope="module")
def tested():
    """Problem, champion, test part and predictions on it."""
    asked = problem()
    train, test = split_holdout(loans(), "random", asked)
    champion = fit_model(train, get_configured_candidate("xgboost_ajustado", asked), asked)
    required = fit_model(train, get_configured_candidate("logistica", asked), asked)
    models = {"champion": champion, "required": required} | fit_baselines(
        train, untuned(asked), asked
    )
    return asked, champion, test, predict_holdout(test, models, asked)


def test_each_threshold_costs_what_its_decisions_cost(tested):
    asked, champion, _, predictions = tested
    truth, said = select_model_predictions(predictions, "champion", asked)
    table = threshold_table(champion, predictions, asked).set_index("decision")
    assert table.index[table["chosen"]].tolist() == ["cost"]
    for rule, row in table.iterrows():
        codes = (said.expected >= champion.estimator.thresholds_[rule]).astype(int)
        wrong = 4 * ((truth == 0) & (codes == 1)).sum() + ((truth == 1) & (codes == 0)).sum()
        assert row["expected_cost"] == pytest.approx(wrong / len(truth))
        approve_all = 4 * (truth == 0).mean()
        saved = approve_all - wrong / len(truth)
        assert row["saving_over_all_positive"] == pytest.approx(saved)
        assert row["expected_cost_lower"] <= row["expected_cost"] <= row["expected_cost_upper"]
        assert row["selection_rate"] == pytest.approx(codes.mean())


def test_the_requirements_table_is_that_of_scikit_learn(tested):
    asked, _, _, predictions = tested
    table = required_models_table(predictions, None, asked)
    assert table["Modelo"].tolist() == [
        "logistica", "bosque", "xgboost", "todos_pagan", "deuda_alta",
    ]  # fmt: skip
    truth, said = select_model_predictions(predictions, "bosque", asked)
    row = table.set_index("Modelo").loc["bosque"]
    assert row["Accuracy"] == pytest.approx(metrics.accuracy_score(truth, said.codes))
    assert row["Precision"] == pytest.approx(metrics.precision_score(truth, said.codes))
    assert row["Recall"] == pytest.approx(metrics.recall_score(truth, said.codes))
    assert row["F1"] == pytest.approx(metrics.f1_score(truth, said.codes))


def test_the_requirements_table_is_always_of_the_random_draw(tested):
    asked, _, _, predictions = tested
    flipped = predictions.assign(true=1 - predictions["true"])
    by_time = problem(holdout="time")
    pd.testing.assert_frame_equal(
        required_models_table(flipped, predictions, by_time),
        required_models_table(predictions, flipped, asked),
    )


def test_calibration_and_gain_count_every_row(tested):
    asked, champion, test, predictions = tested
    tables = build_decision_tables(champion, test, predictions, asked)
    assert tables["calibration"]["rows"].sum() == len(test)
    assert tables["gain"]["gain"].iloc[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(("truth", "code"), [([1, 1, 0], 0), ([0, 0, 1], 1), ([0, 1], 1)])
def test_the_rarer_class_is_looked_for(truth, code):
    assert find_rarer_class_code(np.array(truth)) == code


def test_groups_are_compared_only_where_configured(tested):
    asked, champion, test, predictions = tested
    table = build_decision_tables(champion, test, predictions, asked)["fairness"]
    assert table["group"].tolist() == ["F", "M"]
    assert table["rows"].sum() == len(test)
    ungrouped = build_decision_tables(champion, test, predictions, problem(fairness=None))
    assert ungrouped["fairness"].empty


def test_only_a_scorecard_has_points_and_good_bins_have_more_of_them():
    of_points = problem(candidates={"puntos": {"kind": "woe_scorecard", "role": "challenger"}})
    train, test = split_holdout(loans(), "random", of_points)
    card = fit_model(train, get_configured_candidate("puntos", of_points), of_points)
    logistic = fit_model(train, get_configured_candidate("logistica", of_points), of_points)

    of_card, of_logistic = (
        build_decision_tables(
            model, test, predict_holdout(test, {"champion": model}, of_points), of_points
        )
        for model in (card, logistic)
    )
    points = of_card["points"]

    assert set(points["feature"]) == set(card.features)
    tipo = points[points["feature"] == "tipo"].set_index("bin")["points"]
    paid = train.assign(paid=train["pago"] == "paga").groupby("tipo")["paid"].mean()
    assert tipo[paid.index].sort_values().index.tolist() == paid.sort_values().index.tolist()
    assert of_logistic["points"].empty
    assert "Tabla de puntos" in [
        section.title for section in _build_points_section(points, of_points)
    ]
    assert _build_points_section(points.iloc[:0], of_points) == ()


def test_the_card_counts_from_the_rows_read_and_names_how_to_keep_equal_ones():
    status = dict.fromkeys(("unlabelled", "unknown_label", "undated", "too_young"), 0)
    rows = {
        "rows": 29_965,
        "status": status | {"usable": 29_965},
        "too_young_classes": {},
        "as_of_doubtful": False,
    }
    assert format_learned_rows(rows | {"read": 29_965, "refused": {}}, "clientes").startswith(
        "De 29.965 clientes de la tabla se usan 29.965"
    )
    counted = rows | {"read": 30_000, "refused": {"duplicate_row": 35}}
    told = format_learned_rows(counted, "clientes")
    assert told.startswith("De 30.000 clientes")
    assert "35 duplicate_row" in told
    assert "duplicates: keep" in told
