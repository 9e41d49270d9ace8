import numpy as np
import pytest

from clientela.pipelines.data_generation.applications import (
    CHECKING,
    HOUSING,
    PURPOSES,
    SAVINGS,
    Applicants,
    compute_bad_risk_probability,
)


def applicant(**changes):
    plain = {
        "age": 40,
        "sex": 0,
        "job": 2,
        "housing": HOUSING.index("rent"),
        "savings": SAVINGS.index("little"),
        "checking": CHECKING.index("little"),
        "amount": 2_000,
        "months": 18,
        "purpose": PURPOSES.index("car"),
    }
    return Applicants(**{name: np.array([value]) for name, value in (plain | changes).items()})


def log_odds(**changes):
    probability = compute_bad_risk_probability(applicant(**changes))[0]
    return np.log(probability / (1 - probability))


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"checking": len(CHECKING)}, -2.3),
        ({"savings": SAVINGS.index("rich")}, -1.0),
        ({"months": 36}, 0.5),
        ({"amount": 8_000}, 0.9 * np.log(2)),
        ({"amount": 4_000}, 0.0),
        ({"age": 20}, 0.6),
        ({"housing": HOUSING.index("own")}, -0.4),
        ({"purpose": PURPOSES.index("education")}, 0.5),
        ({"sex": 1}, 0.0),
        ({"job": 0}, 0.0),
    ],
)
def test_the_log_odds_follow_the_stated_law(changes, difference):
    assert log_odds(**changes) - log_odds() == pytest.approx(difference)
