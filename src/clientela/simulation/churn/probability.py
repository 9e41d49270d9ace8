"""Who leaves: the true probability that a user churns, which no model is shown.

With visits of 1 to 30, sessions of 5 to 120 minutes and 0 to 10 complaints all equally likely and
no intercept, this law has a ceiling of .813 in ROC-AUC and 49 % churn. The distributions in
`visitors` look more like people; the intercept keeps the ceiling, at 27 % churn.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from clientela.simulation.seasonality import Floats, Ints

INTERCEPT: Final = -0.65
PER_MONTH_OF_VISITS: Final = -2.0
PER_TWO_HOURS_OF_SESSION: Final = -2.0
PER_TEN_COMPLAINTS: Final = 4.0
VISITS_IN_A_MONTH: Final = 30
TWO_HOURS_IN_MINUTES: Final = 120
TEN_COMPLAINTS: Final = 10
NOISE: Final = 0.5

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True)
class Behaviour:
    """What the odds of leaving depend on, exactly as the table shows it.

    Attributes:
        visits: Visits in the last thirty days.
        avg_session: Average minutes of a visit.
        complaints: Complaints so far.
    """

    visits: Ints
    avg_session: Floats
    complaints: Ints

    def logit(self) -> Floats:
        """Log-odds of leaving, without the noise."""
        return (
            INTERCEPT
            + PER_MONTH_OF_VISITS * self.visits / VISITS_IN_A_MONTH
            + PER_TWO_HOURS_OF_SESSION * self.avg_session / TWO_HOURS_IN_MINUTES
            + PER_TEN_COMPLAINTS * self.complaints / TEN_COMPLAINTS
        )


def churn_probability(behaviour: Behaviour) -> Floats:
    """True probability of leaving given the columns: the noise in the log-odds averaged out.

    Gauss-Hermite quadrature of `E[1 / (1 + exp(-(logit + NOISE * Z)))]` with Z standard normal
    (Abramowitz and Stegun, 25.4.46); its nodes leave an error below 1e-9 at this noise.
    """
    noisy = behaviour.logit()[:, None] + NOISE * _NODES
    return np.asarray(expit(noisy) @ (_WEIGHTS / _WEIGHTS.sum()))


def churned(rng: np.random.Generator, behaviour: Behaviour) -> Ints:
    """Whether each user leaves, 1 or 0: the log-odds, noise and chance.

    Args:
        rng: Stream of the outcomes.
        behaviour: What the log-odds depend on.
    """
    logit = behaviour.logit()
    noisy = logit + NOISE * rng.standard_normal(len(logit))
    return np.asarray(rng.random(len(logit)) < expit(noisy), dtype=np.int64)
