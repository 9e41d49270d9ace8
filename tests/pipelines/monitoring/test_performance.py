import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as skm

from clientela.models.metrics import compute_score_histogram
from clientela.pipelines.monitoring.performance import (
    detect_performance_change,
    estimate_binary_performance,
    estimate_ordinal_performance,
    measure_binary_performance,
    measure_ordinal_performance,
)
from clientela.pipelines.monitoring.statistical_tests import PerformanceSettings, group_scores

SETTINGS = PerformanceSettings(draws=200)
MEASURES = ("roc_auc", "accuracy", "brier", "f1")


def scores(n, seed=0):
    return np.random.default_rng(seed).beta(2, 5, n)


def figures(table):
    return table.set_index("measure")


def expected_by_pairs(p):
    """Every row both as a 1 and as a 0, weighted by how likely it is that."""
    won = sum(a * (1 - b) * (1.0 if a > b else 0.5 if a == b else 0.0) for a in p for b in p)
    return won / (p.sum() * (1 - p).sum())


def test_expected_measures_are_those_of_every_row_in_both_classes():
    p = np.round(scores(60), 2)
    found = figures(estimate_binary_performance(p, 0.3, True, MEASURES, SETTINGS))["value"]
    decided = p >= 0.3
    assert found["roc_auc"] == pytest.approx(expected_by_pairs(p))
    assert found["accuracy"] == pytest.approx(np.where(decided, p, 1 - p).mean())
    assert found["brier"] == pytest.approx((p * (1 - p)).mean())
    assert found["f1"] == pytest.approx(2 * p[decided].sum() / (p.sum() + decided.sum()))


@pytest.mark.parametrize("n", [400, 5000])
def test_intervals_hold_what_labels_would_have_shown_about_as_often_as_they_say(n):
    p = scores(n)
    table = figures(estimate_binary_performance(p, 0.3, True, MEASURES, PerformanceSettings()))
    random = np.random.default_rng(1)
    inside = dict.fromkeys(MEASURES, 0)
    for _ in range(200):
        y = (random.random(n) < p).astype(int)
        truth = {
            "roc_auc": skm.roc_auc_score(y, p),
            "accuracy": skm.accuracy_score(y, p >= 0.3),
            "brier": skm.brier_score_loss(y, p),
            "f1": skm.f1_score(y, p >= 0.3),
        }
        for name, value in truth.items():
            inside[name] += table["lower"][name] <= value <= table["upper"][name]
    # three deviations of 200 trials at 95 %
    assert all(180 <= hits <= 199 for hits in inside.values()), inside


@pytest.mark.parametrize("n", [200, 3000])
def test_realised_measures_are_those_of_scikit_learn_within_their_interval(n):
    p = scores(n)
    y = (np.random.default_rng(2).random(n) < p).astype(float)
    table = figures(measure_binary_performance(y, p, 0.3, MEASURES, SETTINGS))
    assert table["value"]["roc_auc"] == pytest.approx(skm.roc_auc_score(y, p))
    assert table["value"]["f1"] == pytest.approx(skm.f1_score(y, p >= 0.3))
    assert (table["lower"] < table["value"]).all()
    assert (table["value"] < table["upper"]).all()


def test_the_interval_of_an_auc_is_as_wide_as_the_formula_says():
    n = 3000
    p = scores(n)
    y = (np.random.default_rng(2).random(n) < p).astype(float)
    auc = figures(measure_binary_performance(y, p, 0.3, ("roc_auc",), SETTINGS)).loc["roc_auc"]
    a, ones, zeros = auc["value"], y.sum(), (1 - y).sum()
    # Hanley and McNeil 1982
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + (ones - 1) * (q1 - a * a) + (zeros - 1) * (q2 - a * a)) / ones / zeros
    assert auc["upper"] - auc["lower"] == pytest.approx(2 * 1.96 * variance**0.5, rel=0.2)


def test_only_rows_whose_label_is_known_count():
    p, y = scores(100), np.full(100, np.nan)
    y[:60] = np.arange(60) % 2
    some = measure_binary_performance(y, p, 0.3, MEASURES, SETTINGS)
    pd.testing.assert_frame_equal(
        some, measure_binary_performance(y[:60], p[:60], 0.3, MEASURES, SETTINGS)
    )
    assert (some["n"] == 60).all()


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        ([np.nan] * 50, "no_labels"),
        ([0.0, 1.0] * 10 + [np.nan] * 30, "few_rows"),
        ([1.0] * 50, "one_class"),
    ],
)
def test_what_labels_cannot_tell_is_missing_with_the_reason(labels, note):
    table = measure_binary_performance(np.array(labels), scores(50), 0.5, MEASURES, SETTINGS)
    assert table[["value", "lower", "upper"]].isna().all(axis=None)
    assert set(table["note"]) == {note}


@pytest.mark.parametrize(
    ("n", "calibrated", "note"), [(0, True, "few_rows"), (50, False, "uncalibrated")]
)
def test_what_scores_cannot_tell_is_missing_with_the_reason(n, calibrated, note):
    table = estimate_binary_performance(scores(n), 0.5, calibrated, MEASURES, SETTINGS)
    assert table["value"].isna().all()
    assert set(table["note"]) == {note}
    ordinal = estimate_ordinal_performance(
        np.full((n, 2), 0.5), np.zeros(n, int), calibrated, ("qwk",), SETTINGS
    )
    assert ordinal["note"].tolist() == [note]


def test_an_auc_without_enough_events_has_no_interval():
    table = figures(
        estimate_binary_performance(np.full(40, 0.01), 0.5, True, ("roc_auc", "brier"), SETTINGS)
    )
    assert table["note"].to_dict() == {"roc_auc": "few_events", "brier": ""}
    assert np.isnan(table["lower"]["roc_auc"])


def test_expected_ordinal_measures_add_up_probabilities():
    random = np.random.default_rng(4)
    probabilities = random.dirichlet([2, 1, 1, 1], 80)
    decided = probabilities.argmax(axis=1)
    table = figures(
        estimate_ordinal_performance(
            probabilities, decided, True, ("accuracy", "mae_class", "qwk"), SETTINGS
        )
    )
    by_row = [
        sum(q[k] * abs(k - d) for k in range(4))
        for q, d in zip(probabilities, decided, strict=True)
    ]
    assert table["value"]["mae_class"] == pytest.approx(np.mean(by_row))
    assert table["value"]["accuracy"] == pytest.approx(probabilities.max(axis=1).mean())
    # each row four times, once per class, weighted by its probability
    kappa = skm.cohen_kappa_score(
        np.tile(np.arange(4), 80),
        np.repeat(decided, 4),
        weights="quadratic",
        sample_weight=probabilities.ravel(),
    )
    assert table["value"]["qwk"] == pytest.approx(kappa)
    assert (table["lower"] < table["value"]).all()
    assert (table["value"] < table["upper"]).all()


def test_realised_ordinal_measures_are_those_of_scikit_learn():
    random = np.random.default_rng(5)
    y, decided = random.integers(0, 4, 90).astype(float), random.integers(0, 4, 90)
    y[80:] = np.nan
    table = figures(measure_ordinal_performance(y, decided, 4, ("qwk", "accuracy"), SETTINGS))
    kappa = skm.cohen_kappa_score(y[:80].astype(int), decided[:80], weights="quadratic")
    assert table["value"]["qwk"] == pytest.approx(kappa)
    assert table["n"].tolist() == [80, 80]


def test_a_class_that_is_never_decided_costs_no_interval():
    probabilities = np.tile([0.2, 0.5, 0.3], (40, 1))
    table = estimate_ordinal_performance(
        probabilities, np.ones(40, int), True, ("accuracy",), SETTINGS
    )
    assert table["value"].tolist() == pytest.approx([0.5])


@given(st.integers(1, 300), st.integers(1, 40))
def test_pooling_keeps_every_row_and_the_order_of_scores(n, groups):
    p = np.round(scores(n, seed=n), 3)
    y = np.arange(n) % 2
    before = compute_score_histogram(y, p)
    after = group_scores(before, groups)
    assert after.totals.tolist() == before.totals.tolist()
    assert len(after.levels) <= max(groups, 1)
    assert (np.diff(after.levels) > 0).all()
    assert after.levels @ after.rows.sum(axis=1) == pytest.approx(p.sum())


def test_the_order_of_rows_is_no_matter():
    p = scores(300)
    mixed = np.random.default_rng(9).permutation(p)
    pd.testing.assert_frame_equal(
        estimate_binary_performance(p, 0.3, True, MEASURES, SETTINGS),
        estimate_binary_performance(mixed, 0.3, True, MEASURES, SETTINGS),
    )


@pytest.mark.parametrize(
    ("lower", "upper", "greater", "change"),
    [
        (0.60, 0.67, True, "fell"),
        (0.60, 0.69, True, "unknown"),
        (0.68, 0.75, True, "held"),
        (0.73, 0.80, False, "fell"),
        (0.60, 0.715, False, "held"),
        (0.60, 0.73, False, "unknown"),
        (np.nan, np.nan, True, "unknown"),
    ],
)
def test_a_measure_falls_or_holds_only_with_its_whole_interval(lower, upper, greater, change):
    figure = pd.Series({"lower": lower, "upper": upper})
    assert detect_performance_change(figure, 0.7, greater, 0.02) == change
