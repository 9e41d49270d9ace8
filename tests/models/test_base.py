import numpy as np
import pandas as pd
import pytest

from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.base import (
    NamedRegistry,
    check_name,
    find_column_position,
    get_feature_names_in,
)
from clientela.models.binary_decision import ThresholdRule
from clientela.models.ordinal_estimators import LastQuarterRule

TABLE = pd.DataFrame({"edad": [20.0, 30.0, 40.0, 50.0], "compras_3m": [0.0, 1.0, 0.0, 3.0]})
RULES = [ThresholdRule("compras_3m", limit=1), LastQuarterRule("compras_3m", lower_bounds=(0, 1))]


@pytest.mark.parametrize("rule", RULES)
def test_rules_answer_in_the_words_of_the_target(rule):
    fitted = rule.fit(TABLE, ["a_no", "b_si", "a_no", "b_si"])
    assert fitted.predict(TABLE).tolist() == ["a_no", "b_si", "a_no", "b_si"]


@pytest.mark.parametrize("rule", RULES)
def test_one_class_is_nothing_to_learn(rule):
    with pytest.raises(InvalidTargetError, match=r"one class only \(4 rows\)"):
        rule.fit(TABLE, ["a_no"] * 4)


def test_a_column_is_found_by_name_or_given_by_position():
    rule = ThresholdRule("compras_3m", limit=1).fit(TABLE, [0, 1, 0, 1])
    assert find_column_position(rule, "compras_3m", "threshold") == 1
    assert find_column_position(rule, 0, "threshold") == 0
    with pytest.raises(ConfigurationError, match=r"threshold rule .*'compra_3m'.*'compras_3m'"):
        find_column_position(rule, "compra_3m", "threshold")


def test_features_without_names_are_numbered():
    rule = ThresholdRule(1, limit=1).fit(TABLE.to_numpy(), np.array([0, 1, 0, 1]))
    assert get_feature_names_in(rule) == ["x0", "x1"]


COLOURS = NamedRegistry("colour", {"rojo": 1, "azul": 2})


def test_entries_keep_their_order_and_are_found_by_name():
    assert list(COLOURS) == ["rojo", "azul"]
    assert len(COLOURS) == 2
    assert COLOURS.named("azul") == 2


def test_an_unknown_name_says_what_was_sought_and_what_is_near():
    with pytest.raises(ConfigurationError, match=r"No colour is called 'roj'\. .*'rojo'"):
        COLOURS.named("roj")
    with pytest.raises(
        ConfigurationError, match=r"No decision rule is called 'treshold'.*'thresholds'"
    ):
        check_name("decision rule", "treshold", ("argmax", "thresholds"))


def test_what_no_person_wrote_is_a_plain_mistake():
    with pytest.raises(KeyError):
        COLOURS["verde"]
