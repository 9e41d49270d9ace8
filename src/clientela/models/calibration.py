"""Probabilities that mean what they say, and small tables that show whether they do.

A calibration is learned from rows that the model did not learn from. scikit-learn's own
CalibratedClassifierCV holds types that a safe model file refuses. What it learns is two numbers or
one staircase, so here that is all that is kept: an array. No calibration turns the order of two
rows around.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from clientela.arrays import Codes, Floats
from clientela.models.base import NamedRegistry
from clientela.models.metrics import (
    INTERVAL,
    ScoreHistogram,
    compute_score_histogram,
    compute_wilson_intervals,
    ratio,
    sample_score_histograms,
)

Calibrate: TypeAlias = Literal["none", "sigmoid", "isotonic"]

# Probabilities are kept this far off 0 and 1, where log-odds end.
MARGIN = 1e-6


@dataclass(frozen=True)
class Calibration:
    """One way to calibrate.

    Attributes:
        learn: From true codes and raw probabilities to what is learned, shape (2, ...).
        apply: From raw probabilities and what was learned to calibrated ones.
    """

    learn: Callable[[Codes, Floats], Floats]
    apply: Callable[[Floats, Floats], Floats]


def _compute_log_odds(probability: Floats) -> Floats:
    odds: Floats = logit(probability.clip(MARGIN, 1 - MARGIN))
    return odds


def _fit_sigmoid(y_true: Codes, probability: Floats) -> Floats:
    """Slope and intercept on the log-odds (Platt 1999, with his smoothed targets).

    The smoothing keeps them finite where the raw probabilities separate the classes.
    """
    ones = int(y_true.sum())
    zeros = len(y_true) - ones
    target = np.where(y_true == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    odds = _compute_log_odds(probability)
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
    slope, intercept = minimize(
        mean_loss,
        np.array([0.0, logit(target.mean())]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    ).x
    return np.array([[slope / width], [intercept - slope * centre / width]])


def _apply_sigmoid(probability: Floats, learned: Floats) -> Floats:
    slope, intercept = learned[:, 0]
    calibrated: Floats = expit(slope * _compute_log_odds(probability) + intercept)
    return calibrated


def _fit_isotonic(y_true: Codes, probability: Floats) -> Floats:
    """Raw and calibrated probability at the corners of the best never-falling function.

    Kept off 0 and 1 by one row among all (Laplace), since no sample makes anything certain.
    """
    least = 1 / (len(y_true) + 2)
    model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    model.fit(probability, y_true.astype(np.float64))
    return np.vstack([model.X_thresholds_, model.y_thresholds_])


def _apply_isotonic(probability: Floats, learned: Floats) -> Floats:
    calibrated: Floats = np.interp(probability, learned[0], learned[1])
    return calibrated


# Calibration by the name that configuration uses.
#
# `sigmoid` learns two numbers and suits a few hundred rows; `isotonic` takes any form and wants a
# thousand rows of the rare class (Niculescu-Mizil and Caruana 2005).
CALIBRATIONS: NamedRegistry[Calibration] = NamedRegistry(
    "calibration",
    {
        "none": Calibration(lambda *_: np.empty((2, 0)), lambda probability, _: probability),
        "sigmoid": Calibration(_fit_sigmoid, _apply_sigmoid),
        "isotonic": Calibration(_fit_isotonic, _apply_isotonic),
    },
)


def calibration_table(y_true: Codes, probability: Floats, *, bins: int = 10) -> pd.DataFrame:
    """One row per bin of about equally many rows: promised against observed share of class 1.

    Rows with the same probability stay in one bin, so that the order of rows plays no part; where
    many share one, there are fewer bins.

    Returns:
        `rows`, `promised` (mean probability), `observed` (share of class 1) with its 95 % interval
        `lower`, `upper`; in order of the probability.
    """
    counted = compute_score_histogram(y_true, probability)
    rows = counted.rows.sum(axis=1)
    middle = rows.cumsum() - rows / 2
    starts = np.flatnonzero(np.diff((bins * middle / rows.sum()).astype(np.int64), prepend=-1))
    in_bin = np.add.reduceat(rows, starts)
    ones = np.add.reduceat(counted.rows[:, 1], starts)
    lower, upper = compute_wilson_intervals(ones, in_bin)
    return pd.DataFrame(
        {
            "rows": in_bin.astype(np.int64),
            "promised": np.add.reduceat(rows * counted.levels, starts) / in_bin,
            "observed": ones / in_bin,
            "lower": lower,
            "upper": upper,
        }
    )


def gain_table(  # noqa: PLR0913 - two say what was predicted, four how to look at it
    y_true: Codes,
    probability: Floats,
    *,
    code: int,
    replicates: int,
    seed: int,
    parts: int = 10,
) -> pd.DataFrame:
    """One row per tenth of the rows, those surest of the class first: what looking there finds.

    Rows that share a probability are spread evenly, as if their order were drawn at random.

    Args:
        code: The class that is looked for: 1, or 0 where that is the rare one.

    Returns:
        `part` (from 1), `rows`, `share` of the class in the part, `lift` (share over overall
        share), `gain` (part of the class found so far), and `lift_lower`, `lift_upper`,
        `gain_lower`, `gain_upper` (95 %).
    """
    gain = compute_cumulative_gains(compute_score_histogram(y_true, probability), code, parts)
    histograms = sample_score_histograms(y_true, probability, replicates=replicates, seed=seed)
    sampled = np.concatenate(
        [compute_cumulative_gains(portion, code, parts) for portion in histograms]
    )
    lift = _compute_lift(gain)
    (lift_lower, lift_upper), (gain_lower, gain_upper) = (
        np.nanquantile(values, INTERVAL, axis=0) for values in (_compute_lift(sampled), sampled)
    )
    return pd.DataFrame(
        {
            "part": np.arange(1, parts + 1),
            "rows": len(y_true) / parts,
            "share": lift * np.mean(np.asarray(y_true) == code),
            "lift": lift,
            "lift_lower": lift_lower,
            "lift_upper": lift_upper,
            "gain": gain,
            "gain_lower": gain_lower,
            "gain_upper": gain_upper,
        }
    )


def compute_cumulative_gains(counted: ScoreHistogram, code: int, parts: int) -> Floats:
    """Share of a class that the surest 1/parts, 2/parts, ... of the rows hold.

    Returns:
        Shape (..., parts), rising to 1; missing where a table lacks the class.
    """
    surest_first = counted.rows if code == 0 else counted.rows[..., ::-1, :]
    passed = surest_first.sum(axis=-1).cumsum(axis=-1)
    found = surest_first[..., code].cumsum(axis=-1)
    levels = passed.shape[-1]
    stops = np.arange(1, parts + 1) / parts
    reached = [
        np.interp(stops * seen[-1], np.append(0.0, seen), np.append(0.0, hits))
        for seen, hits in zip(passed.reshape(-1, levels), found.reshape(-1, levels), strict=True)
    ]
    total = found[..., -1:]
    return ratio(np.reshape(reached, (*total.shape[:-1], parts)), total, empty=np.nan)


def _compute_lift(gain: Floats) -> Floats:
    lift: Floats = np.diff(gain, prepend=0.0, axis=-1) * gain.shape[-1]
    return lift
