"""Who pays late: a weak honest signal in the columns, and the score that gives the answer away.

The weights are set so that a sound model reaches about .70 in ROC-AUC in a random split, as on real
consumer loans, and less out of time: the bureau's score and the inquiries lose half of their weight
over the window.
"""

from typing import Final

import numpy as np
from scipy.special import expit

from clientela.simulation.chunks import RowBlock
from clientela.simulation.credit.borrowers import (
    MEAN_SCORE,
    SCORE_SPREAD,
    TRENDS,
    Borrowers,
)
from clientela.simulation.credit.terms import MEDIAN_CAPITAL, Terms
from clientela.simulation.seasonality import Floats, Ints

LATE_SHARE: Final = 0.0475
LONG_TERM_MONTHS: Final = 24

FULL_SCORE: Final = 95.227787
LOWEST_SCORE_ON_TIME: Final = 63.81
HIGHEST_SCORE_LATE: Final = 62.67
FULL_SCORE_SHARE: Final = 0.92
SCORE_LOSS_ON_TIME: Final = 6.0
SCORE_RANGE_LATE: Final = 100.0


def late_payment_trait(borrowers: Borrowers, terms: Terms) -> Floats:
    """Log-odds of paying late, up to a constant that sets the share of late payers.

    Args:
        borrowers: Who owes.
        terms: What they owe.
    """
    fading = 1 - 0.5 * terms.elapsed
    score = np.clip((borrowers.score - MEAN_SCORE) / SCORE_SPREAD, -3, 3)
    known_score = np.where(borrowers.score == 0, -1.2, score)
    bureau = fading * (-0.50 * known_score + 0.45 * np.log1p(borrowers.inquiries))
    person = (
        0.40 * np.maximum(34 - borrowers.age, 0) / 10
        + 0.30 * np.maximum(borrowers.age - 58, 0) / 10
        + 0.20 * borrowers.self_employed
        + 0.40 * (borrowers.trend == TRENDS.index("Decreciente"))
        - 0.30 * np.log(np.maximum(borrowers.income, 1) / 1_200_000)
        + 1.80 * (borrowers.overdue > 0)
    )
    excess = np.maximum(np.log(terms.capital / MEDIAN_CAPITAL), 0)
    long_term = terms.months >= LONG_TERM_MONTHS
    loan = (0.30 + 0.60 * borrowers.self_employed) * excess + (
        0.50 + 0.60 * (excess > 0)
    ) * long_term
    return np.asarray(bureau + person + loan - 0.8 * terms.elapsed)


def late_payment(block: RowBlock, rng: np.random.Generator, trait: Floats) -> tuple[Ints, Floats]:
    """Which loans are paid late, 1 or 0, and how probable that was.

    A logistic latent variable above a threshold is a logit model (McFadden, 1974); the threshold
    lies where exactly `LATE_SHARE` of the loans are above it.

    Args:
        block: Which loans.
        rng: Stream of the outcomes.
        trait: What `late_payment_trait` gives.
    """
    latent = trait + rng.logistic(size=block.rows)
    late = np.zeros(block.rows, np.int64)
    descending = np.argsort(-latent, kind="stable")
    count = block.count(LATE_SHARE)
    late[descending[:count]] = 1
    threshold = latent[descending[min(count, block.rows - 1)]]
    return late, expit(trait - threshold)


def score_in_disguise(rng: np.random.Generator, late: Ints) -> Floats:
    """`puntaje`: computed after the fact, it separates the classes without a single mistake.

    Args:
        rng: Stream of the outcomes, after the outcomes.
        late: 1 for loans paid late.

    Returns:
        At most `HIGHEST_SCORE_LATE` for late loans, at least `LOWEST_SCORE_ON_TIME` for the
        others, most of which have the full score.
    """
    count = len(late)
    loss = np.where(
        rng.random(count) < FULL_SCORE_SHARE, 0.0, rng.exponential(SCORE_LOSS_ON_TIME, count)
    )
    on_time = np.maximum(FULL_SCORE - loss, LOWEST_SCORE_ON_TIME)
    too_late = HIGHEST_SCORE_LATE - SCORE_RANGE_LATE * rng.beta(1.0, 1.5, count)
    return np.where(late == 1, too_late, on_time).round(6)
