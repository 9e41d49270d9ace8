import pytest
from pydantic import ValidationError

from clientela.pipelines.data_generation.credit import CreditSimulation


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValidationError, match=r"expected end >= start.*swap them"):
        CreditSimulation(start="2025-03-02", end="2025-03-01")
