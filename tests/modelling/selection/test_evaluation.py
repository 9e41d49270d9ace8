import pandas as pd
import pytest

from clientela.models.metrics import ORDINAL_METRICS
from clientela.models.problem import CandidateConfig
from clientela.models.training_data import make_repeated_folds
from clientela.pipelines.training.model_selection import evaluate_on_folds


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
