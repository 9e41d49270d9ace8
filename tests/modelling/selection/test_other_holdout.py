import re

import numpy as np
import pandas as pd
import pytest
from tests.modelling.binary_cases import SCHEMA, loans, problem, settings, untuned

from clientela.exceptions import TrainingDataError
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.models.training_data import split_by_time
from clientela.pipelines.training.holdout_evaluation import (
    evaluate_secondary_holdout,
    explain_missing_holdout,
    split_holdout,
)

CHOICE = {
    "champion": {"candidate": "xgboost_ajustado", "features": "all", "decision": "cost"},
    "params": {"n_estimators": 5, "max_depth": 2},
}

SAID = pd.DataFrame(
    {
        "model": ["champion", "champion", "required", "required"],
        "true": [0, 1, 0, 1],
        "predicted": [0, 1, 1, 1],
        "expected": [0.2, 0.9, 0.5, 0.6],
        "p_no_paga": [0.8, 0.1, 0.5, 0.4],
        "p_paga": [0.2, 0.9, 0.5, 0.6],
    }
)
"""Predictions on a chosen test part of two rows."""


def test_the_latest_rows_are_the_test_part_and_no_moment_is_torn_apart():
    frame = loans()
    early, late = split_by_time(frame, key="id_credito", time="fecha", test_share=0.2)
    assert early["fecha"].max() < late["fecha"].min()
    assert 60 <= len(late) < 70
    assert sorted([*early["id_credito"], *late["id_credito"]]) == sorted(frame["id_credito"])
    assert list(early.columns) == list(frame.columns)


def test_neither_row_order_nor_rows_without_a_time_move_the_boundary():
    frame = loans()
    frame.loc[:9, "fecha"] = pd.NaT
    for one, other in zip(
        split_by_time(frame, key="id_credito", time="fecha", test_share=0.2),
        split_by_time(
            frame.sample(frac=1, random_state=2), key="id_credito", time="fecha", test_share=0.2
        ),
        strict=True,
    ):
        pd.testing.assert_frame_equal(one, other)
    _, late = split_by_time(frame, key="id_credito", time="fecha", test_share=0.2)
    assert late["fecha"].notna().all()


@pytest.mark.parametrize("moment", [pd.Timestamp("2024-01-01"), pd.NaT])
def test_rows_of_one_moment_cannot_be_split_by_time(moment):
    frame = loans(30).assign(fecha=pd.Series([moment] * 30, dtype="datetime64[ns]"))
    with pytest.raises(TrainingDataError, match="can't be told from the others by 'fecha'"):
        split_by_time(frame, key="id_credito", time="fecha", test_share=0.2)


@pytest.mark.parametrize(("chosen", "other"), [("random", "time"), ("time", "random")])
def test_the_way_that_was_not_chosen_is_tested_too(chosen, other):
    asked = problem(holdout=chosen)
    report, _ = evaluate_secondary_holdout(loans(), CHOICE, untuned(asked), SAID, asked)
    assert (report["tested"], report["holdout"]) == (True, other)
    assert set(report["models"]) == {
        "champion", "required", "bosque", "xgboost", "todos_pagan", "deuda_alta",
    }  # fmt: skip
    auc = report["models"]["champion"]["roc_auc"]
    assert auc["lower"] < auc["value"] < auc["upper"]
    _, test = split_holdout(loans(), other, asked)
    assert report["rows"] == len(test)


def dated(frame, moments):
    return frame.assign(fecha=pd.Series(pd.to_datetime(moments), index=frame.index))


def by_class(frame, early, late):
    """Loans whose classes lie before and after a boundary in time."""
    return dated(frame, np.where(frame["pago"] == "paga", late, early))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (
            dated(loans(), ["2024-01-01"] * 300),
            r"fecha trae 1 fecha\(s\) distinta\(s\) en 300 créditos",
        ),
        (dated(loans(), [None] * 300), r"fecha trae 0 fecha\(s\)"),
        (
            by_class(loans(), "2024-01-01", "2024-02-01"),
            "entre los .* créditos más antiguos según fecha hay 0 de la clase «paga», .* falta",
        ),
        (
            by_class(loans(), "2024-01-01", "2024-02-01").assign(
                fecha=lambda table: table["fecha"].mask(table.groupby("pago").cumcount() < 4)
            ),
            "créditos más recientes según fecha hay 0 de la clase «no_paga», y hacen falta 1",
        ),
    ],
    ids=["one moment", "no moment", "one class before", "one class after"],
)
def test_dates_that_cannot_be_split_are_a_reason_and_no_late_end(frame, reason):
    found = explain_missing_holdout(frame, problem())
    assert re.search(reason, found)
    grades, table = evaluate_secondary_holdout(frame, CHOICE, untuned(problem()), SAID, problem())
    assert grades == {"tested": False, "reason": found}
    assert table["Modelo"].tolist() == ["logistica"]


@pytest.mark.parametrize("kind", ["xgboost_classifier", "woe_scorecard"])
def test_four_rows_of_a_class_are_enough_to_learn_from(kind):
    learner = {"kind": kind, "role": "challenger", "decisions": ["best_cost"]}
    asked = problem(candidates={"x": learner})
    champion = {"candidate": "x", "features": "all", "decision": "best_cost"}

    def with_early(rows):
        """Two moments: 80 early loans, few of them not paid back, and 20 late ones."""
        bad, good = (loans()[loans()["pago"] == name] for name in ("no_paga", "paga"))
        early = [bad.iloc[:rows], good.iloc[: 80 - rows]]
        late = [bad.iloc[20:25], good.iloc[100:115]]
        frame = pd.concat([*early, *late], ignore_index=True)
        return dated(frame, ["2024-01-01"] * 80 + ["2024-02-01"] * 20)

    assert explain_missing_holdout(with_early(4), asked) is None
    choice = {"champion": champion, "params": {}}
    report, _ = evaluate_secondary_holdout(with_early(4), choice, untuned(asked), SAID, asked)
    assert report["rows"] == 20
    assert "hay 3 de la clase «no_paga», y hacen falta 4" in explain_missing_holdout(
        with_early(3), asked
    )


def test_without_a_time_there_is_no_other_way():
    timeless = create_problem(
        "binary", SCHEMA | {"time": None}, TrainingSettings.model_validate(settings())
    )
    report, _ = evaluate_secondary_holdout(loans(), CHOICE, untuned(timeless), SAID, timeless)
    assert report == {"tested": False}
