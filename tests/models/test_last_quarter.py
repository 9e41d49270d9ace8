import numpy as np
import pandas as pd
import pytest

from clientela.exceptions import ConfigurationError
from clientela.models.ordinal_estimators import LastQuarterRule

VALUES = (0.0, 1.0, 2.0, 4.0)
COLUMN = "num_tecnologia_3m"


@pytest.fixture
def quarters():
    X = pd.DataFrame({"edad": [30.0] * 6, COLUMN: [0.0, 0.0, 1.0, 2.0, 3.0, 9.0]})
    return X, np.array([0, 1, 1, 2, 3, 3])


def test_the_rule_repeats_the_class_of_last_quarter(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES).fit(X, codes)
    assert rule.predict(X).tolist() == [0, 0, 1, 2, 2, 3]


def test_refunds_below_the_first_bound_count_as_no_purchase(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES).fit(X, codes)
    assert rule.predict(X.assign(**{COLUMN: -1.0})).tolist() == [0] * 6


def test_probabilities_are_what_followed_that_class_smoothed_by_the_overall_shares(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES, smoothing=2.0).fit(X, codes)
    overall = np.array([1, 2, 1, 2]) / 6
    after_media = (np.array([0, 0, 1, 1]) + 2 * overall) / (2 + 2)
    assert rule.predict_proba(X)[3] == pytest.approx(after_media)
    assert rule.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert rule.expected_value(X)[3] == pytest.approx(after_media @ np.array(VALUES))


def test_a_quarter_never_seen_in_fit_gets_the_overall_shares(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES).fit(X.iloc[:5], codes[:5])
    assert rule.predict_proba(X)[5] == pytest.approx(np.array([1, 2, 1, 1]) / 5)


def test_an_absent_column_is_named_with_its_neighbours(quarters):
    X, codes = quarters
    with pytest.raises(ConfigurationError, match=r"'num_tecnologia_3'.*'num_tecnologia_3m'"):
        LastQuarterRule("num_tecnologia_3", values=VALUES).fit(X, codes)


def test_bounds_and_values_must_be_equally_many(quarters):
    X, codes = quarters
    with pytest.raises(ConfigurationError, match="got 3 bounds for 4 class values"):
        LastQuarterRule(COLUMN, lower_bounds=(0, 1, 2), values=VALUES).fit(X, codes)
