import numpy as np
import pytest

from clientela.models.metrics import ORDINAL_METRICS
from clientela.models.ordinal_decision import tune_cut_points
from clientela.models.problem import CrossValidation, OrdinalTask
from clientela.models.training_data import make_repeated_folds

TASK = OrdinalTask()
VALUES = np.array([0.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize("candidate", ["lineal", "requerido"])
@pytest.mark.parametrize("decision", ["thresholds", "nearest", "argmax", "median"])
def test_one_fit_serves_every_decision_rule(problem, train, candidate, decision):
    X, codes = train[problem.schema.features("all")], problem.schema.codes(train)
    params = problem.settings.candidates[candidate].params
    shared = problem.build_estimator(candidate, params, "thresholds").fit(X, codes)
    own = problem.build_estimator(candidate, params, decision).fit(X, codes)
    assert (TASK.predictions(shared, X, decision).codes == own.predict(X)).all()


def test_a_kind_that_decides_by_itself_is_asked(problem, train):
    X, codes = train[problem.schema.features("all")], problem.schema.codes(train)
    rule = problem.build_estimator("ultimo_trimestre", {}, None).fit(X, codes)
    assert (TASK.predictions(rule, X, None).codes == rule.predict(X)).all()


@pytest.mark.parametrize(
    ("decisions", "richest"),
    [(("median", "thresholds"), "thresholds"), (("median", "argmax"), "median"), ((), None)],
)
def test_the_learned_rule_is_the_richest(decisions, richest):
    assert TASK.choose_fit_decision(decisions) == richest


def final_score(model, X, codes, by):
    *_, score = TASK.iter_tuning_scores(model, X, codes, by)
    return score


def test_tuning_cuts_each_fold_by_the_scores_of_the_others(problem, train):
    X, codes = train[problem.schema.features("all")], problem.schema.codes(train)
    model = problem.build_estimator("lineal", {"l2": 1.0}, "thresholds")
    found = final_score(model, X, codes, CrossValidation("qwk", 3, 5, workers=2))
    scores, decided = np.empty(len(codes)), np.empty(len(codes), dtype=int)
    folds = make_repeated_folds(codes, folds=3, repeats=1, seed=5)
    for fold in folds:
        plain = problem.build_estimator("lineal", {"l2": 1.0}, "nearest")
        plain.fit(X.iloc[fold.learn], codes[fold.learn])
        scores[fold.held_out] = plain.expected_value(X.iloc[fold.held_out])
    for fold in folds:
        cuts = tune_cut_points(
            scores[fold.learn], codes[fold.learn], VALUES, ORDINAL_METRICS["qwk"]
        )
        for row in fold.held_out:
            decided[row] = sum(scores[row] > cut for cut in cuts)
    assert found == pytest.approx(ORDINAL_METRICS["qwk"](codes, decided, VALUES))


@pytest.mark.parametrize(("metric", "decision"), [("rps", "thresholds"), ("qwk", "median")])
def test_tuning_grades_probabilities_and_fixed_rules_by_plain_cross_validation(
    problem, train, metric, decision
):
    X, codes = train[problem.schema.features("all")], problem.schema.codes(train)
    model = problem.build_estimator("lineal", {"l2": 1.0}, decision)
    found = final_score(model, X, codes, CrossValidation(metric, 3, 5, workers=1))
    said = np.empty((len(codes), 5))
    for fold in make_repeated_folds(codes, folds=3, repeats=1, seed=5):
        fresh = problem.build_estimator("lineal", {"l2": 1.0}, decision)
        fresh.fit(X.iloc[fold.learn], codes[fold.learn])
        held_out = X.iloc[fold.held_out]
        said[fold.held_out, 0] = fresh.predict(held_out)
        said[fold.held_out, 1:] = fresh.predict_proba(held_out)
    answer = said[:, 1:] if metric == "rps" else said[:, 0].astype(int)
    assert found == pytest.approx(ORDINAL_METRICS[metric](codes, answer, VALUES))


@pytest.mark.parametrize("candidate", ["lineal", "requerido"])
def test_the_number_of_workers_changes_nothing(problem, train, candidate):
    X, codes = train[problem.schema.features("all")], problem.schema.codes(train)
    model = problem.build_estimator(candidate, {}, "thresholds")
    one, two = (
        final_score(model, X, codes, CrossValidation("qwk", 3, 5, workers=workers))
        for workers in (1, 2)
    )
    assert one == two
