"""From a score and probabilities to a class: the decision rules.

Which rule is best depends on the measure: the median minimises the expected distance, the
argmax the expected number of mistakes, cut points serve any measure they were fitted for, and
nearest is the required, literal form.
"""

from typing import Literal, TypeAlias, get_args

import numpy as np

from clientela.classification.codes import Codes, Floats

Decision: TypeAlias = Literal["nearest", "thresholds", "argmax", "median"]

DECISIONS: tuple[str, ...] = get_args(Decision)

LEARNED: frozenset[str] = frozenset({"thresholds"})
"""Rules that need out-of-fold scores."""

HALF = 0.5


def cut_codes(score: Floats, cut_points: Floats) -> Codes:
    """One code per score: how many cut points lie strictly below it.

    A score that equals a cut point goes to the lower class. With midpoints as cut points this is
    the nearest class value.

    Args:
        score: One score per row.
        cut_points: The K-1 cut points, never decreasing.

    Returns:
        Codes 0..K-1.
    """
    codes: Codes = np.searchsorted(cut_points, score, side="left")
    return codes


def argmax_codes(probabilities: Floats) -> Codes:
    """One code per row: the likeliest class, of equally likely ones the lowest.

    Args:
        probabilities: Rows x K.

    Returns:
        Codes 0..K-1.
    """
    codes: Codes = probabilities.argmax(axis=1)
    return codes


def median_codes(probabilities: Floats) -> Codes:
    """One code per row: the lowest class whose cumulative probability reaches one half.

    Args:
        probabilities: Rows x K.

    Returns:
        Codes 0..K-1.
    """
    codes: Codes = (probabilities.cumsum(axis=1)[:, :-1] < HALF).sum(axis=1)
    return codes
