import numpy as np
import pytest

from clientela.models.metrics import ORDINAL_METRICS
from clientela.models.scoring import (
    compute_holdout_metrics,
    predict_holdout,
    select_model_predictions,
)
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate


@pytest.fixture
def parts(train):
    return train.iloc[:180], train.iloc[180:]


@pytest.fixture
def predictions(parts, problem):
    learn, test = parts
    models = {
        label: fit_model(learn, get_configured_candidate(name, problem), problem)
        for label, name in (
            ("champion", "lineal"), ("required", "requerido"), ("twin", "lineal"),
        )
    }  # fmt: skip
    return predict_holdout(test, models, problem)


def test_each_model_answers_for_each_test_row(predictions, parts, problem):
    assert predictions.groupby("model").size().to_dict() == {
        "champion": 60, "required": 60, "twin": 60,
    }  # fmt: skip
    truth, said = select_model_predictions(predictions, "champion", problem)
    assert (truth == problem.schema.codes(parts[1])).all()
    assert said.probabilities.sum(axis=1) == pytest.approx(np.ones(60))


def test_grades_are_the_measures_with_an_interval_around_them(predictions, problem):
    grades = compute_holdout_metrics(predictions, problem)
    truth, said = select_model_predictions(predictions, "champion", problem)
    entry = grades["models"]["champion"]["qwk"]
    assert grades["rows"] == 60
    values = problem.schema.value_array
    assert entry["value"] == pytest.approx(ORDINAL_METRICS["qwk"](truth, said.codes, values))
    assert entry["lower"] < entry["value"] < entry["upper"]
    assert entry["std"] > 0


def test_gains_are_paired_so_a_twin_gains_exactly_nothing(predictions, problem):
    gains = compute_holdout_metrics(predictions, problem)["champion_gains"]
    assert gains["twin"] == {"value": 0.0, "std": 0.0, "lower": 0.0, "upper": 0.0}
    models = compute_holdout_metrics(predictions, problem)["models"]
    expected = models["champion"]["qwk"]["value"] - models["required"]["qwk"]["value"]
    assert gains["required"]["value"] == pytest.approx(expected)
