"""Probabilities that mean what they say, learned from rows that the model did not learn from.

scikit-learn's own CalibratedClassifierCV holds types that a safe model file refuses. What it
learns is two numbers or one staircase, so here that is all that is kept: an array. No calibration
turns the order of two rows around.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from clientela.classification.codes import Codes, Floats
from clientela.classification.named import Named

Calibrate: TypeAlias = Literal["none", "sigmoid", "isotonic"]

MARGIN = 1e-6
"""Probabilities are kept this far off 0 and 1, where log-odds end."""


@dataclass(frozen=True)
class Calibration:
    """One way to calibrate.

    Attributes:
        learn: From true codes and raw probabilities to what is learned, shape (2, ...).
        apply: From raw probabilities and what was learned to calibrated ones.
    """

    learn: Callable[[Codes, Floats], Floats]
    apply: Callable[[Floats, Floats], Floats]


def _nothing(y_true: Codes, probability: Floats) -> Floats:
    del y_true, probability
    return np.empty((2, 0))


def _unchanged(probability: Floats, learned: Floats) -> Floats:
    del learned
    return probability


def _log_odds(probability: Floats) -> Floats:
    odds: Floats = logit(probability.clip(MARGIN, 1 - MARGIN))
    return odds


def _sigmoid_parameters(y_true: Codes, probability: Floats) -> Floats:
    """Slope and intercept on the log-odds (Platt 1999, with his smoothed targets).

    The smoothing keeps them finite where the raw probabilities separate the classes.
    """
    ones = int(y_true.sum())
    zeros = len(y_true) - ones
    target = np.where(y_true == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    odds = _log_odds(probability)
    centre, width = float(odds.mean()), float(odds.std())
    if odds.min() == odds.max():
        return np.array([[0.0], [float(logit(target.mean()))]])
    standard = (odds - centre) / width

    def mean_loss(parameters: Floats) -> tuple[float, Floats]:
        scores = parameters[0] * standard + parameters[1]
        excess = expit(scores) - target
        slopes = np.array([(excess * standard).mean(), excess.mean()])
        return float((np.logaddexp(0, scores) - target * scores).mean()), slopes

    # never below 0: a sigmoid that falls would turn the order around
    found = minimize(
        mean_loss,
        np.array([0.0, logit(target.mean())]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    ).x
    return np.array([[found[0] / width], [found[1] - found[0] * centre / width]])


def _sigmoid(probability: Floats, learned: Floats) -> Floats:
    slope, intercept = learned[:, 0]
    calibrated: Floats = expit(slope * _log_odds(probability) + intercept)
    return calibrated


def _isotonic_knots(y_true: Codes, probability: Floats) -> Floats:
    """Raw and calibrated probability at the corners of the best never-falling function.

    Kept off 0 and 1 by one row among all (Laplace), since no sample makes anything certain.
    """
    least = 1 / (len(y_true) + 2)
    model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    model.fit(probability, y_true.astype(np.float64))
    return np.vstack([model.X_thresholds_, model.y_thresholds_])


def _isotonic(probability: Floats, learned: Floats) -> Floats:
    calibrated: Floats = np.interp(probability, learned[0], learned[1])
    return calibrated


CALIBRATIONS: Named[Calibration] = Named(
    "calibration",
    {
        "none": Calibration(_nothing, _unchanged),
        "sigmoid": Calibration(_sigmoid_parameters, _sigmoid),
        "isotonic": Calibration(_isotonic_knots, _isotonic),
    },
)
"""Calibration by the name that configuration uses.

`sigmoid` learns two numbers and suits a few hundred rows; `isotonic` takes any form and wants a
thousand rows of the rare class (Niculescu-Mizil and Caruana 2005).
"""
