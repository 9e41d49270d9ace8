import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from clientela.binary.balance import balanced

CODES = np.array([0, 0, 0, 1])


def test_the_weight_is_rows_of_class_0_by_those_of_class_1():
    asked = XGBClassifier(scale_pos_weight="balanced")
    assert balanced(asked, CODES).scale_pos_weight == 3.0
    assert asked.scale_pos_weight == "balanced"


def test_it_is_found_inside_a_pipeline():
    asked = Pipeline([("s", StandardScaler()), ("x", XGBClassifier(scale_pos_weight="balanced"))])
    assert balanced(asked, CODES).named_steps["x"].scale_pos_weight == 3.0


def test_a_number_and_another_kind_are_left_as_they_are():
    assert balanced(XGBClassifier(scale_pos_weight=2.0), CODES).scale_pos_weight == 2.0
    assert balanced(StandardScaler(), CODES).get_params() == StandardScaler().get_params()
