import pandas as pd
import pytest
from tests.modelling.binary_cases import SCHEMA, loans, problem, settings

from clientela.exceptions import TrainingDataError
from clientela.modelling.problem import problem_of
from clientela.modelling.selection.other_holdout import (
    holdout_parts,
    other_holdout,
    other_predictions,
)
from clientela.modelling.settings import TrainingSettings
from clientela.modelling.split import latest_parts

CHOICE = {
    "champion": {"candidate": "xgboost_ajustado", "features": "all", "decision": "cost"},
    "params": {"n_estimators": 5, "max_depth": 2},
}


def test_the_latest_rows_are_the_test_part_and_no_moment_is_torn_apart():
    frame = loans()
    early, late = latest_parts(frame, key="id_credito", time="fecha", test_share=0.2)
    assert early["fecha"].max() < late["fecha"].min()
    assert 60 <= len(late) < 70
    assert sorted([*early["id_credito"], *late["id_credito"]]) == sorted(frame["id_credito"])
    assert list(early.columns) == list(frame.columns)


def test_neither_row_order_nor_rows_without_a_time_move_the_boundary():
    frame = loans()
    frame.loc[:9, "fecha"] = pd.NaT
    for one, other in zip(
        latest_parts(frame, key="id_credito", time="fecha", test_share=0.2),
        latest_parts(
            frame.sample(frac=1, random_state=2), key="id_credito", time="fecha", test_share=0.2
        ),
        strict=True,
    ):
        pd.testing.assert_frame_equal(one, other)
    _, late = latest_parts(frame, key="id_credito", time="fecha", test_share=0.2)
    assert late["fecha"].notna().all()


@pytest.mark.parametrize("moment", [pd.Timestamp("2024-01-01"), pd.NaT])
def test_rows_of_one_moment_cannot_be_split_by_time(moment):
    frame = loans(30).assign(fecha=pd.Series([moment] * 30, dtype="datetime64[ns]"))
    with pytest.raises(TrainingDataError, match="can't be told from the others by 'fecha'"):
        latest_parts(frame, key="id_credito", time="fecha", test_share=0.2)


@pytest.mark.parametrize(("chosen", "other"), [("random", "time"), ("time", "random")])
def test_the_way_that_was_not_chosen_is_tested_too(chosen, other):
    asked = problem(holdout=chosen)
    predictions = other_predictions(loans(), CHOICE, asked)
    report = other_holdout(predictions, asked)
    assert (report["tested"], report["holdout"]) == (True, other)
    assert set(report["models"]) == {
        "champion", "required", "bosque", "xgboost", "todos_pagan", "deuda_alta",
    }  # fmt: skip
    auc = report["models"]["champion"]["roc_auc"]
    assert auc["lower"] < auc["value"] < auc["upper"]
    _, test = holdout_parts(loans(), other, asked)
    assert set(predictions["id_credito"]) == set(test["id_credito"])


def test_without_a_time_there_is_no_other_way():
    timeless = problem_of(
        "binary", SCHEMA | {"time": None}, TrainingSettings.model_validate(settings())
    )
    assert other_predictions(loans(), CHOICE, timeless) is None
    assert other_holdout(None, timeless) == {"tested": False}
