import io

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.special import logit

from clientela.models.scorecard import PointScale, WoeScorecard, scorecard_points


def test_the_odds_double_every_so_many_points():
    scale = PointScale()
    assert scale.points(np.log([50.0, 100.0, 25.0])) == pytest.approx([600, 620, 580])


def test_a_case_scores_the_points_of_its_bins(borrowers):
    X, codes = borrowers
    card, scale = WoeScorecard().fit(X, codes), PointScale(base_points=500, points_to_double=40)
    # read back as a person would, from the file
    file = io.StringIO(scorecard_points(card, scale).to_csv(index=False))
    points = pd.read_csv(file, keep_default_na=False).set_index(["feature", "bin"])["points"]
    seen = pd.concat([X, X.head(8).assign(deudas=np.nan, huella=np.nan)])

    def of_number(name, value):
        if np.isnan(value):
            return points[name, "(ausente)"]
        for label, found in points[name].items():
            low, _, high = label.strip("(]").partition(", ")
            if label != "(ausente)" and float(low) < value <= float(high):
                return found
        raise AssertionError(value)

    scores = [
        points["tipo_laboral", word if isinstance(word := row.tipo_laboral, str) else "(ausente)"]
        + sum(of_number(name, getattr(row, name)) for name in ("ingresos", "deudas", "huella"))
        for row in seen.itertuples()
    ]
    assert scores == pytest.approx(scale.points(logit(card.predict_proba(seen)[:, 1])))


def test_the_table_names_every_bin():
    X = pd.DataFrame({"mora": [0.0, 0.0, 1.0, np.nan] * 5, "plan": ["a", "b", "a", None] * 5})
    card = WoeScorecard(bins=2, smoothing=1.0, folds=2).fit(X, [1, 1, 0, 0] * 5)
    table = scorecard_points(card, PointScale())
    assert table[["feature", "bin"]].to_numpy().tolist() == [
        ["mora", "(-inf, 0]"],
        ["mora", "(0, inf]"],
        ["mora", "(ausente)"],
        ["plan", "a"],
        ["plan", "b"],
        ["plan", "(ausente)"],
        ["plan", "(otra)"],
    ]
    assert table["woe"].iloc[[0, 1, 6]].to_numpy() == pytest.approx(
        [np.log(10.5 / 0.5), np.log(0.5 / 5.5), 0]
    )


def test_edges_are_written_in_full_and_gaps_are_always_a_bin():
    exact = 1234567.891
    X = pd.DataFrame(
        {
            "capital": [exact, 2e6, exact, 2e6] * 5,
            "vacio": np.full(20, np.nan),
            "plan": ["a", "b", "a", "b"] * 5,
        }
    )
    card = WoeScorecard(bins=2, folds=2).fit(X, [1, 1, 0, 0] * 5)
    table = scorecard_points(card, PointScale())
    assert table[["feature", "bin"]].to_numpy().tolist() == [
        ["capital", "(-inf, 1234567.891]"],
        ["capital", "(1234567.891, inf]"],
        ["capital", "(ausente)"],
        ["vacio", "(-inf, inf]"],
        ["vacio", "(ausente)"],
        ["plan", "a"],
        ["plan", "b"],
        ["plan", "(ausente)"],
        ["plan", "(otra)"],
    ]
    strange = pd.DataFrame({"capital": [np.nan], "vacio": [1.0], "plan": [None]})
    assert card.transform_to_woe(strange).tolist() == [[0.0, 0.0, 0.0]]
    assert table["woe"].iloc[[2, 3, 7]].tolist() == [0.0, 0.0, 0.0]


def test_a_scale_needs_points_that_double():
    with pytest.raises(ValidationError, match="points_to_double"):
        PointScale(points_to_double=0)
