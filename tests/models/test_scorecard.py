import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import logit

from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.explanations import contributions
from clientela.models.scorecard import PointScale, WoeScorecard, scorecard_points


def evidence_by_hand(bins, codes, smoothing):
    """ln(share of class 1 / share of class 0) of each row's bin, row by row."""
    overall = codes.mean()
    ones, zeros = codes.sum(), (1 - codes).sum()
    found = []
    for mine in bins:
        inside = [code for other, code in zip(bins, codes, strict=True) if other == mine]
        ones_here = sum(inside) + smoothing * overall
        zeros_here = len(inside) - sum(inside) + smoothing * (1 - overall)
        found.append(np.log((ones_here / ones) / (zeros_here / zeros)))
    return np.array(found)


def test_weights_of_evidence_are_those_counted_by_hand(borrowers):
    X, codes = borrowers
    card = WoeScorecard(bins=4, smoothing=10).fit(X, codes)
    weights = card.transform_to_woe(X)
    income = X["ingresos"]
    quarters = [
        "ausente" if np.isnan(value) else sum(value > edge for edge in card.edges_[0])
        for value in income
    ]
    assert len(set(quarters)) == 5
    assert weights[:, 0] == pytest.approx(evidence_by_hand(quarters, codes, 10))
    words = X["tipo_laboral"].fillna("ausente").tolist()
    assert weights[:, 1] == pytest.approx(evidence_by_hand(words, codes, 10))


def test_what_was_never_seen_is_no_evidence(borrowers):
    X, codes = borrowers
    card = WoeScorecard().fit(X.fillna({"huella": 0.0}), codes)
    strange = X.head(1).assign(tipo_laboral="Astronauta", huella=np.nan)
    weights = card.transform_to_woe(strange)[0]
    assert weights[[1, 3]] == pytest.approx([0, 0])


def test_contributions_and_a_constant_are_the_log_odds(borrowers):
    X, codes = borrowers
    card = WoeScorecard().fit(X, codes)
    table = contributions(card, X)
    rest = logit(card.predict_proba(X)[:, 1]) - table.sum(axis=1).to_numpy()
    assert rest == pytest.approx(np.full(400, card.linear_.intercept_[0]))
    assert table.index.equals(X.index)


def test_equal_rows_teach_equal_cards(borrowers):
    X, codes = borrowers
    first, second = (WoeScorecard(random_state=3).fit(X, codes) for _ in range(2))
    assert (first.linear_.coef_ == second.linear_.coef_).all()


def test_columns_that_say_nothing_have_one_bin(borrowers):
    X, codes = borrowers
    empty = X.assign(vacia=np.nan, fija=7.0, sin_palabra=pd.Series(None, X.index, dtype="str"))
    card = WoeScorecard().fit(empty, codes)
    assert card.transform_to_woe(empty)[:, 4:] == pytest.approx(np.zeros((400, 3)))


@pytest.mark.parametrize(
    ("values", "edges"),
    [([0, 0, 0, 0, 0, 5, 9], [0]), ([1, 2, 9, 9, 9, 9, 9], [2]), ([3, 3, 3], []), ([1, 2, 3], [2])],
)
def test_a_value_that_most_rows_share_is_told_from_the_others(values, edges):
    column = pd.DataFrame({"saldo_mora": [*values, *values]}, dtype=float)
    card = WoeScorecard(bins=2, folds=2).fit(column, [0] * len(values) + [1] * len(values))
    assert card.edges_[0].tolist() == edges


def test_a_declared_code_has_a_bin_of_its_own():
    generator = np.random.default_rng(2)
    income = np.where(np.arange(5000) % 33 == 0, -9999.0, generator.normal(1000, 150, 5000))
    risk = np.where(income == -9999.0, 0.05, 1 / (1 + np.exp((income - 1000) / 100)))
    codes = (generator.random(5000) < risk).astype(int)
    X = pd.DataFrame({"ingresos": income, "deudas": generator.random(5000)})
    asked = pd.DataFrame({"ingresos": [-9999.0, -9998.0, income[income > 0].min()], "deudas": 0.5})
    card = WoeScorecard(special=[-9999.0, 999.0]).fit(X, codes)
    mixed = WoeScorecard().fit(X, codes).predict_proba(asked)[:, 1]
    of_code, *lowest = card.predict_proba(asked)[:, 1]
    assert mixed[0] > 0.6
    assert of_code < 0.12
    assert min(lowest) > 0.8
    bins = scorecard_points(card, PointScale()).set_index("feature")["bin"]
    assert "-9999" in bins["ingresos"].tolist()
    assert not bins["deudas"].str.fullmatch("-9999|999").any()


@settings(deadline=None)  # a busy machine is no counterexample
@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=20, max_size=20),
    st.integers(2, 9),
)
def test_no_number_has_more_bins_than_allowed_and_each_bin_has_rows(values, bins):
    codes = np.arange(20) % 2
    card = WoeScorecard(bins=bins, folds=2).fit(pd.DataFrame({"saldo": values}), codes)
    seen = np.asarray(values)[~np.isnan(values)]
    filled = np.unique(np.searchsorted(card.edges_[0], seen, side="left"))
    assert len(card.edges_[0]) < bins
    assert len(filled) == (len(card.edges_[0]) + 1 if len(seen) else 0)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"bins": 1}, "bins must be a whole number from 2 on, not 1"),
        ({"bins": "diez"}, "bins must be .* not 'diez'"),
        ({"smoothing": 0}, "smoothing must be a number above 0, not 0"),
    ],
)
def test_settings_without_a_meaning_are_refused(borrowers, settings, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        WoeScorecard(**settings).fit(*borrowers)


def test_one_row_of_a_class_is_too_few():
    with pytest.raises(InvalidTargetError, match="rarer class has 1 of 4 rows"):
        WoeScorecard().fit(np.arange(4.0)[:, None], [0, 1, 1, 1])


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
