import warnings

import pytest

from clientela.models.training_data import run_in_threads


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_calls(workers):
    assert list(run_in_threads(pow, [(2, n) for n in range(6)], workers)) == [1, 2, 4, 8, 16, 32]


def test_warning_filters_are_as_before_afterwards():
    before = list(warnings.filters)
    list(run_in_threads(abs, [(-1,)], 2))
    assert warnings.filters == before
