import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from clientela.exceptions import ConfigurationError
from clientela.models.binary_decision import (
    ONE_EACH,
    CostMatrix,
    compute_cost_threshold,
    validate_costs,
)

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
