import pandas as pd
import pytest

from clientela.models.metrics import ORDINAL_METRICS
from clientela.models.problem import CandidateConfig, create_problem
from clientela.models.settings import TrainingSettings
from clientela.models.training_data import make_repeated_folds
from clientela.pipelines.training.model_selection import (
    build_leaderboard,
    drop_losing_candidates,
    evaluate_candidates,
    evaluate_on_folds,
)


@pytest.fixture
def contenders(problem):
    return [
        CandidateConfig(name, entry.features, entry.params, entry.decisions)
        for name, entry in problem.settings.candidates.items()
    ]


def test_each_contender_is_graded_on_each_fold(problem, train, contenders):
    grades = evaluate_on_folds(train, contenders, problem, "x")
    counts = grades.groupby(["candidate", "features", "decision"], sort=False).size()
    assert counts.to_dict() == {
        ("mayoria", "all", "propia"): 3,
        ("ultimo_trimestre", "all", "propia"): 3,
        ("requerido", "required", "nearest"): 3,
        ("lineal", "all", "thresholds"): 3,
        ("lineal", "all", "median"): 3,
    }
    assert list(grades.columns[5:]) == list(ORDINAL_METRICS)


def test_grades_are_those_of_a_plain_loop(problem, train):
    variant = CandidateConfig("requerido", "required", {"n_estimators": 4}, ("nearest",))
    grades = evaluate_on_folds(train, [variant], problem, "x")
    X, codes = train[problem.schema.features("required")], problem.schema.codes(train)
    values = problem.schema.value_array
    for row, fold in zip(
        grades.itertuples(), make_repeated_folds(codes, folds=3, repeats=1, seed=42), strict=True
    ):
        model = problem.build_estimator("requerido", {"n_estimators": 4}, "nearest")
        model.fit(X.iloc[fold.learn], codes[fold.learn])
        said = model.predict(X.iloc[fold.held_out])
        assert row.qwk == pytest.approx(ORDINAL_METRICS["qwk"](codes[fold.held_out], said, values))


def test_the_number_of_workers_changes_nothing(problem, train, contenders):
    alone = problem.settings.model_copy(update={"workers": 1})
    one = evaluate_on_folds(
        train, contenders, type(problem)(problem.task, problem.schema, alone), "x"
    )
    pd.testing.assert_frame_equal(one, evaluate_on_folds(train, contenders, problem, "x"))


def make_fold_metrics(qwk_by_candidate):
    rows = [
        {"candidate": name, "features": features, "decision": decision, "repeat": 0, "fold": fold}
        | {"qwk": qwk}
        for (name, features, decision), figures in qwk_by_candidate.items()
        for fold, qwk in enumerate(figures)
    ]
    return pd.DataFrame(rows)


def test_a_challenger_clearly_behind_on_the_first_folds_is_given_up(problem, contenders):
    metrics = make_fold_metrics(
        {
            ("mayoria", "all", "propia"): [0.0, 0.0, 0.0],
            ("ultimo_trimestre", "all", "propia"): [0.1, 0.1, 0.1],
            ("requerido", "required", "nearest"): [0.5, 0.52, 0.51],
            ("lineal", "all", "thresholds"): [0.30, 0.33, 0.31],
            ("lineal", "all", "median"): [0.2, 0.2, 0.2],
        }
    )
    # the required baseline leads, but is a yardstick: the only challenger can't be behind itself
    kept = drop_losing_candidates(contenders, metrics, problem)
    assert [config.candidate for config in kept] == [c.candidate for c in contenders]


def test_what_is_given_up_stands_last_and_never_wins(problem, train, settings):
    settings["folds"] = 5
    settings["candidates"]["arbol"] = {
        "kind": "xgboost_regressor", "role": "challenger", "decisions": ["nearest"],
        "params": {"n_estimators": 1, "learning_rate": 0.001},
    }  # fmt: skip
    asked = create_problem("ordinal", problem.schema.model_dump(), TrainingSettings(**settings))
    tuned = {name: {"params": dict(c.params)} for name, c in asked.settings.candidates.items()}
    table = build_leaderboard(evaluate_candidates(train, tuned, asked), asked)
    folds = table.set_index("candidate")["folds"]
    assert folds["arbol"] == 3
    assert (folds.drop("arbol") == 5).all()
    assert table["candidate"].iloc[-1] == "arbol"


def test_a_tie_on_the_first_folds_goes_on(problem, contenders):
    metrics = make_fold_metrics(
        {
            ("mayoria", "all", "propia"): [0.0, 0.0, 0.0],
            ("ultimo_trimestre", "all", "propia"): [0.1, 0.1, 0.1],
            ("requerido", "required", "nearest"): [0.5, 0.4, 0.6],
            ("lineal", "all", "thresholds"): [0.45, 0.47, 0.46],
            ("lineal", "all", "median"): [0.2, 0.2, 0.2],
        }
    )
    assert len(drop_losing_candidates(contenders, metrics, problem)) == len(contenders)
