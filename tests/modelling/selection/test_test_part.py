import numpy as np
import pytest

from clientela.modelling.selection.fitting import configured_contender, fitted_model
from clientela.modelling.selection.test_part import holdout_grades, holdout_predictions, said_by
from clientela.ordinal.metrics import METRICS


@pytest.fixture
def parts(train):
    return train.iloc[:180], train.iloc[180:]


@pytest.fixture
def predictions(parts, problem):
    learn, test = parts
    models = {
        label: fitted_model(learn, configured_contender(name, problem), problem)
        for label, name in (
            ("champion", "lineal"), ("required", "requerido"), ("twin", "lineal"),
        )
    }  # fmt: skip
    return holdout_predictions(test, models, problem)


def test_each_model_answers_for_each_test_row(predictions, parts, problem):
    assert predictions.groupby("model").size().to_dict() == {
        "champion": 60, "required": 60, "twin": 60,
    }  # fmt: skip
    truth, said = said_by(predictions, "champion", problem)
    assert (truth == problem.schema.codes(parts[1])).all()
    assert said.probabilities.sum(axis=1) == pytest.approx(np.ones(60))


def test_grades_are_the_measures_with_an_interval_around_them(predictions, problem):
    grades = holdout_grades(predictions, problem)
    truth, said = said_by(predictions, "champion", problem)
    entry = grades["models"]["champion"]["qwk"]
    assert grades["rows"] == 60
    values = problem.schema.value_array
    assert entry["value"] == pytest.approx(METRICS["qwk"](truth, said.codes, values))
    assert entry["lower"] < entry["value"] < entry["upper"]
    assert entry["std"] > 0


def test_gains_are_paired_so_a_twin_gains_exactly_nothing(predictions, problem):
    gains = holdout_grades(predictions, problem)["champion_gains"]
    assert gains["twin"] == {"value": 0.0, "std": 0.0, "lower": 0.0, "upper": 0.0}
    models = holdout_grades(predictions, problem)["models"]
    expected = models["champion"]["qwk"]["value"] - models["required"]["qwk"]["value"]
    assert gains["required"]["value"] == pytest.approx(expected)
