import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from clientela.models.binary_decision import resolve_class_weights

CODES = np.array([0, 0, 0, 1])


def test_the_weight_is_rows_of_class_0_by_those_of_class_1():
    asked = XGBClassifier(scale_pos_weight="balanced")
    assert resolve_class_weights(asked, CODES).scale_pos_weight == 3.0
    assert asked.scale_pos_weight == "balanced"


def test_it_is_found_inside_a_pipeline():
    asked = Pipeline([("s", StandardScaler()), ("x", XGBClassifier(scale_pos_weight="balanced"))])
    assert resolve_class_weights(asked, CODES).named_steps["x"].scale_pos_weight == 3.0


def test_a_number_and_another_kind_are_left_as_they_are():
    assert resolve_class_weights(XGBClassifier(scale_pos_weight=2.0), CODES).scale_pos_weight == 2.0
    assert (
        resolve_class_weights(StandardScaler(), CODES).get_params() == StandardScaler().get_params()
    )
