"""Who applies and for what: simulated people with a home, accounts and a wish.

Two latent traits tie the columns together: skill (job, amount, term) and prosperity (both
accounts). Laws are plain ones with rounded parameters in the ranges and with the words of the
German credit data (Hofmann, 1994, UCI); no row of theirs is in them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from clientela.simulation.chunks import RowBlock
from clientela.simulation.seasonality import Floats, Ints

SEXES: Final = ("male", "female")
HOUSING: Final = ("own", "rent", "free")
SAVINGS: Final = ("little", "moderate", "quite rich", "rich")
CHECKING: Final = ("little", "moderate", "rich")
PURPOSES: Final = (
    "car",
    "radio/TV",
    "furniture/equipment",
    "business",
    "education",
    "repairs",
    "domestic appliances",
    "vacation/others",
)
PURPOSE_SHARES: Final = (0.34, 0.28, 0.18, 0.10, 0.055, 0.02, 0.0125, 0.0125)

YOUNGEST, OLDEST = 19, 75
SKILL_STEPS: Final = (-2.0, -0.76, 1.05)  # between the jobs 0, 1, 2 and 3
MONTHS: Final = (4, 6, 8, 9, 10, 12, 15, 18, 21, 24, 27, 30, 36, 42, 48, 60, 72)
MEDIAN_MONTHS: Final = 18
MEDIAN_AMOUNT: Final = 2_400
SMALLEST_AMOUNT, LARGEST_AMOUNT = 250, 20_000


@dataclass(frozen=True)
class Applicants:
    """One entry per application of a block.

    Attributes:
        age: Years.
        sex: Position in `SEXES`.
        job: 0 (unskilled, not resident) to 3 (highly skilled).
        housing: Position in `HOUSING`.
        savings: Position in `SAVINGS`; one further for no known account.
        checking: Position in `CHECKING`; one further for no known account.
        amount: Amount asked for.
        months: Term asked for.
        purpose: Position in `PURPOSES`.
    """

    age: Ints
    sex: Ints
    job: Ints
    housing: Ints
    savings: Ints
    checking: Ints
    amount: Ints
    months: Ints
    purpose: Ints


def _chosen(rng: np.random.Generator, *utilities: Floats | float, count: int) -> Ints:
    """The best of several alternatives, each with Gumbel noise: a multinomial logit.

    McFadden (1974).
    """
    table = np.column_stack([np.broadcast_to(each, count) for each in utilities])
    return np.asarray(np.argmax(table + rng.gumbel(size=table.shape), axis=1), dtype=np.int64)


def _nearest(steps: tuple[int, ...], wanted: Floats) -> Ints:
    """The term on offer that is nearest in ratio."""
    logs = np.log(steps)
    place = np.searchsorted((logs[1:] + logs[:-1]) / 2, np.log(wanted))
    offered: Ints = np.array(steps, dtype=np.int64)[place]
    return offered


def applicants_of(block: RowBlock) -> Applicants:
    """Draw the applications of a block.

    Args:
        block: Which ones.
    """
    rng, count = block.stream("customers"), block.rows
    skill, prosperity = rng.standard_normal((2, count))
    age = (YOUNGEST + (OLDEST + 1 - YOUNGEST) * rng.beta(1.2, 2.8, count)).astype(np.int64)
    years = age - 35
    sex = (rng.random(count) < 1 / (1 + np.exp(0.85 + 0.05 * years))).astype(np.int64)
    rent, free = -1.75 + 1.0 * sex - 0.05 * years, -2.0 - 0.5 * sex + 0.04 * years
    months = _nearest(
        MONTHS, MEDIAN_MONTHS * np.exp(0.12 * skill + 0.52 * rng.standard_normal(count))
    )
    amount = MEDIAN_AMOUNT * np.exp(
        0.85 * np.log(months / MEDIAN_MONTHS) + 0.2 * skill + 0.55 * rng.standard_normal(count)
    )
    return Applicants(
        age=age,
        sex=sex,
        job=np.searchsorted(SKILL_STEPS, skill).astype(np.int64),
        housing=_chosen(rng, 0.0, rent, free, count=count),
        savings=_chosen(
            rng,
            1.2 - 0.4 * prosperity,
            -0.55,
            -1.1 + 0.2 * prosperity,
            -1.4 + 0.3 * prosperity,
            0.3 * prosperity,
            count=count,
        ),
        checking=_chosen(rng, -0.4 * prosperity, 0.0, -1.45, 0.35 + 0.4 * prosperity, count=count),
        amount=np.clip(amount, SMALLEST_AMOUNT, LARGEST_AMOUNT).astype(np.int64),
        months=months,
        purpose=rng.choice(len(PURPOSES), count, p=PURPOSE_SHARES),
    )
