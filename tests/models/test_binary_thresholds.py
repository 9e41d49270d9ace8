import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from clientela.arrays import compute_confusion_matrix
from clientela.exceptions import ConfigurationError
from clientela.models.binary_decision import (
    ONE_EACH,
    CostMatrix,
    apply_threshold,
    compute_cost_threshold,
    count_by_threshold,
    resolve_class_weights,
    tune_thresholds,
    validate_costs,
)
from clientela.models.metrics import BINARY_METRICS

money = st.integers(-20, 20)


@given(tn=money, tp=money, fp=st.integers(1, 30), fn=st.integers(1, 30), chance=st.floats(0, 1))
def test_the_cheapest_decision_is_1_exactly_from_the_threshold_on(tn, tp, fp, fn, chance):
    costs = validate_costs(((tn, tn + fp), (tp + fn, tp)))
    threshold = compute_cost_threshold(costs)
    expected = costs.T @ [1 - chance, chance]
    if chance > threshold + 1e-9:
        assert expected[1] < expected[0]
    if chance < threshold - 1e-9:
        assert expected[1] > expected[0]


def test_configured_costs_are_laid_out_as_counts_are():
    costs = CostMatrix(false_positive=9, false_negative=2, true_positive=-1, true_negative=0.5)
    assert costs.table == ((0.5, 9), (2, -1))


def test_costs_that_configuration_does_not_name_make_mistakes_cost_one():
    assert CostMatrix().table == ONE_EACH
    assert compute_cost_threshold(validate_costs(ONE_EACH)) == 0.5


def test_a_mistake_that_pays_is_refused():
    with pytest.raises(ValidationError, match="a mistake must cost more than the right decision"):
        CostMatrix(false_positive=-1)
    with pytest.raises(ConfigurationError, match="each mistake dearer"):
        validate_costs(((0, 1), (0, 0)))


@pytest.mark.parametrize("costs", [(1, 2), ((0, 1, 2), (1, 0, 2)), ((0, np.nan), (1, 0))])
def test_costs_of_another_form_are_refused(costs):
    with pytest.raises(ConfigurationError, match="Costs must be"):
        validate_costs(costs)


COSTS = np.array([[0.0, 4.0], [1.0, 0.0]])

rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda step: step / 20)),
    min_size=1,
    max_size=30,
)


@given(rows=rows)
def test_counts_belong_to_their_threshold(rows):
    true, probability = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    thresholds, counts = count_by_threshold(true, probability)
    for threshold, table in zip(thresholds, counts, strict=True):
        assert (
            table == compute_confusion_matrix(true, apply_threshold(probability, threshold), 2)
        ).all()


@given(rows=rows)
def test_no_threshold_at_all_is_better_than_the_learned_one(rows):
    true, probability = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    learned = tune_thresholds(true, probability, COSTS, None)

    def worth(name, threshold):
        value = BINARY_METRICS[name](true, apply_threshold(probability, threshold), COSTS)
        return value if BINARY_METRICS[name].greater_is_better else -value

    for rule, name in {"best_cost": "expected_cost", "best_f1": "f1", "best_mcc": "mcc"}.items():
        best = max(worth(name, threshold) for threshold in np.arange(0, 41) / 40)
        assert worth(name, learned[rule]) == pytest.approx(best)


def test_share_is_met_as_nearly_as_ties_allow():
    true, probability = np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.4])
    thresholds = {
        share: tune_thresholds(true, probability, COSTS, share)["share"]
        for share in (0.25, 0.4, 0.6, 0.99)
    }
    taken = {share: apply_threshold(probability, t).sum() for share, t in thresholds.items()}
    assert taken == {0.25: 2, 0.4: 2, 0.6: 3, 0.99: 5}


def test_probabilities_without_a_number_between_them_are_still_told_apart():
    low = 0.5
    high = np.nextafter(low, 1)
    thresholds, counts = count_by_threshold(np.array([0, 1]), np.array([low, high]))
    assert thresholds[1] == high
    assert counts[1].tolist() == [[1, 0], [0, 1]]


def test_a_row_on_the_threshold_is_decided_as_1():
    assert apply_threshold(np.array([0.49, 0.5]), 0.5).tolist() == [0, 1]


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
