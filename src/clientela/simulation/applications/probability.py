"""Who turns out a bad risk: the true probability, which no model is shown.

The directions are those that lenders know from the German credit data (an overdrawn account, a long
term, a large amount, youth); sizes are rounded, and set so that the best possible model reaches
about .79 in ROC-AUC at 30 % bad risks. Sex has no weight of its own: what a model finds in it, it
finds by way of other columns.
"""

from typing import Final

import numpy as np
from scipy.special import expit

from clientela.simulation.applications.applicants import (
    HOUSING,
    MEDIAN_MONTHS,
    PURPOSES,
    Applicants,
)
from clientela.simulation.seasonality import Floats, Ints

INTERCEPT: Final = -0.85
BY_CHECKING: Final = np.array([0.9, 0.4, -0.3, -1.4])
"""Little, moderate, rich, none that is known."""
BY_SAVINGS: Final = np.array([0.35, 0.15, -0.45, -0.65, -0.45])
"""Little, moderate, quite rich, rich, none that is known."""
PER_DOUBLE_TERM: Final = 0.5
LARGE_AMOUNT: Final = 4_000
PER_LARGE_LOG: Final = 0.9
PER_TEN_YEARS_BELOW_30: Final = 0.6
OWN_HOME: Final = -0.4
BY_PURPOSE: Final = {"radio/TV": -0.4, "education": 0.5, "vacation/others": 0.5}


def bad_risk_probability(people: Applicants) -> Floats:
    """True probability of a bad risk, given what the table shows.

    Args:
        people: Who applies, and for what.
    """
    purpose = np.array([BY_PURPOSE.get(name, 0.0) for name in PURPOSES])
    person = (
        BY_CHECKING[people.checking]
        + BY_SAVINGS[people.savings]
        + OWN_HOME * (people.housing == HOUSING.index("own"))
        + PER_TEN_YEARS_BELOW_30 * np.maximum(30 - people.age, 0) / 10
    )
    wish = (
        purpose[people.purpose]
        + PER_DOUBLE_TERM * np.log2(people.months / MEDIAN_MONTHS)
        + PER_LARGE_LOG * np.maximum(np.log(people.amount / LARGE_AMOUNT), 0)
    )
    return np.asarray(expit(INTERCEPT + person + wish))


def bad_risks(rng: np.random.Generator, probability: Floats) -> Ints:
    """Whether each application turns out a bad risk, 1 or 0.

    Args:
        rng: Stream of the outcomes.
        probability: Of a bad risk.
    """
    return np.asarray(rng.random(len(probability)) < probability, dtype=np.int64)
