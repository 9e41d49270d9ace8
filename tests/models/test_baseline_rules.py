import numpy as np
import pandas as pd
import pytest

from clientela.exceptions import ConfigurationError
from clientela.models.binary_decision import ThresholdRule
from clientela.models.explanations import contributions

VISITORS = pd.DataFrame(
    {
        "mall": ["Egaña", None, "Oeste", "Oeste", "Egaña", "Sur"],
        "dias_sin_visita": [5.0, 60.0, 90.0, 20.0, np.nan, 45.0],
    }
)
LEFT = np.array([0, 1, 1, 0, 0, 0])


def test_who_stayed_away_long_enough_has_left():
    rule = ThresholdRule("dias_sin_visita", limit=45).fit(VISITORS, LEFT)
    assert rule.predict(VISITORS).tolist() == [0, 1, 1, 0, 0, 1]


def test_below_decides_the_other_side():
    rule = ThresholdRule("dias_sin_visita", limit=45, positive="below").fit(VISITORS, LEFT)
    assert rule.predict(VISITORS).tolist() == [1, 0, 0, 1, 0, 0]


def test_probabilities_are_the_smoothed_shares_of_each_side():
    rule = ThresholdRule("dias_sin_visita", limit=45).fit(VISITORS, LEFT)
    overall = 2 / 6
    below, above, missing = overall / 3, (2 + overall) / 4, overall / 2
    expected = [below, above, above, below, missing, above]
    assert rule.predict_proba(VISITORS)[:, 1] == pytest.approx(expected)


def test_a_side_without_rows_has_the_overall_share():
    rule = ThresholdRule("dias_sin_visita", limit=999, smoothing=0).fit(VISITORS, LEFT)
    assert rule.shares_ == pytest.approx([2 / 5, 2 / 6, 0])


def test_the_reason_is_the_one_column():
    rule = ThresholdRule("dias_sin_visita", limit=45).fit(VISITORS, LEFT)
    table = contributions(rule, VISITORS)
    expected = rule.predict_proba(VISITORS)[:, 1] - 2 / 6
    assert (table["mall"] == 0).all()
    assert table["dias_sin_visita"].to_numpy() == pytest.approx(expected)


def test_numbers_that_allow_missing_values_are_read():
    nullable = VISITORS.astype({"dias_sin_visita": "Float64"})
    rule = ThresholdRule("dias_sin_visita", limit=45).fit(nullable, LEFT)
    assert rule.predict(nullable).tolist() == [0, 1, 1, 0, 0, 1]


def test_an_absent_column_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"'dias_sin_visitas'.*'dias_sin_visita'"):
        ThresholdRule("dias_sin_visitas").fit(VISITORS, LEFT)


def test_a_side_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="one of from, below, not 'above'"):
        ThresholdRule(0, positive="above").fit(np.zeros((2, 1)), [0, 1])
