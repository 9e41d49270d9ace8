"""Who borrows: simulated people and what a credit bureau knows of them, before anything is lost.

Two latent traits tie the columns together: wealth (salary, debts, ticket) and appetite for credit
(open credits, inquiries). Laws are plain ones with rounded parameters; no row and no frequency
table of a real portfolio is in them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from clientela.simulation.chunks import RowBlock
from clientela.simulation.seasonality import Floats, Ints

EMPLOYMENTS: Final = ("Empleado", "Independiente")
SELF_EMPLOYED_SHARE: Final = 0.37
TRENDS: Final = ("Creciente", "Decreciente", "Estable")
TREND_SHARES: Final = (0.68, 0.165, 0.155)

YOUNGEST, OLDEST = 19, 75
MEDIAN_SALARY: Final = 3_000_000
NO_OTHER_LOANS: Final = 0.04
SALARY_STEP: Final = 1_000

MEAN_SCORE: Final = 790
SCORE_SPREAD: Final = 48
LOWEST_SCORE, HIGHEST_SCORE = 150, 999
NO_SCORE_SHARE: Final = 0.014  # written as 0 by the bureau

OVERDUE_SHARE: Final = 0.005
CODEBTOR_OVERDUE_SHARE: Final = 0.0004
NO_BALANCE_SHARE: Final = 0.06
ALL_PRINCIPAL_SHARE: Final = 0.8
MINIMUM_WAGE: Final = 920_000
MINIMUM_WAGE_SHARE: Final = 0.35


@dataclass(frozen=True)
class Borrowers:
    """One entry per loan of a block: its borrower as the truth has it.

    Attributes:
        age: Years.
        self_employed: 1 for independents, 0 for employees.
        wealth: Latent trait, standard normal.
        salary: Monthly salary as declared.
        other_loans: Total of other loans as declared.
        score: Bureau's score, 0 where it has none.
        financial: Open credits with banks.
        cooperative: Open credits with cooperatives.
        retail: Open credits with shops.
        open_credits: Open credits in all.
        inquiries: Recent inquiries of lenders.
        balance: Debt in thousands.
        principal: Its principal.
        overdue: Its overdue part.
        codebtor_overdue: Overdue debts that the borrower vouches for.
        income: Monthly income as the bureau estimates it.
        trend: Position in `TRENDS`.
    """

    age: Ints
    self_employed: Ints
    wealth: Floats
    salary: Ints
    other_loans: Ints
    score: Ints
    financial: Ints
    cooperative: Ints
    retail: Ints
    open_credits: Ints
    inquiries: Ints
    balance: Ints
    principal: Ints
    overdue: Ints
    codebtor_overdue: Ints
    income: Ints
    trend: Ints


def _overdispersed(rng: np.random.Generator, mean: Floats, shape: float) -> Ints:
    """Negative binomial counts: Poisson with a gamma-distributed mean."""
    return rng.poisson(mean * rng.gamma(shape, 1 / shape, len(mean)))


def _skewed(rng: np.random.Generator, median: Floats, sigma: float) -> Floats:
    """Log-normal amounts around their medians."""
    return median * np.exp(sigma * rng.standard_normal(len(median)))


def _rarely(rng: np.random.Generator, share: float, amounts: Floats) -> Ints:
    """The amounts where a rare event happens, 0 elsewhere."""
    return np.where(rng.random(len(amounts)) < share, np.ceil(amounts), 0).astype(np.int64)


def _stepped(amounts: Floats) -> Ints:
    return (np.rint(amounts / SALARY_STEP) * SALARY_STEP).astype(np.int64)


def _score(rng: np.random.Generator, age: Ints, retail: Ints, inquiries: Ints) -> Ints:
    """Older people score higher; shop credits and inquiries cost points."""
    luck = 0.84 * rng.standard_normal(len(age))
    trait = 0.35 * (age - 43) / 12.5 - 0.14 * (retail - 1.3) - 0.06 * (inquiries - 4.2) + luck
    score = np.clip(MEAN_SCORE + SCORE_SPREAD * trait, LOWEST_SCORE, HIGHEST_SCORE)
    return np.where(rng.random(len(age)) < NO_SCORE_SHARE, 0, np.rint(score)).astype(np.int64)


def _balance(rng: np.random.Generator, financial: Ints, wealth: Floats) -> Ints:
    """Thousands owed: the more credits with banks, the more."""
    median = 14_000 * ((1 + financial) / 3) ** 1.3 * np.exp(0.35 * wealth)
    owed = _skewed(rng, median, 1.1)
    return np.where(rng.random(len(wealth)) < NO_BALANCE_SHARE, 0, owed).astype(np.int64)


def _principal(rng: np.random.Generator, balance: Ints) -> Ints:
    part = np.where(
        rng.random(len(balance)) < ALL_PRINCIPAL_SHARE, 1.0, rng.uniform(0.3, 1.0, len(balance))
    )
    return (balance * part).astype(np.int64)


def _income(rng: np.random.Generator, wealth: Floats) -> Ints:
    """What the bureau estimates: for many the minimum wage."""
    estimate = _skewed(rng, 1_800_000 * np.exp(0.2 * wealth), 0.75)
    minimum = MINIMUM_WAGE * (1 + 0.01 * rng.standard_normal(len(wealth)))
    at_minimum = rng.random(len(wealth)) < MINIMUM_WAGE_SHARE
    return np.where(at_minimum, minimum, estimate).astype(np.int64)


def borrowers_of(block: RowBlock) -> Borrowers:
    """Draw the borrowers of a block.

    Args:
        block: Which loans.
    """
    rng, count = block.stream("customers"), block.rows
    wealth = rng.standard_normal(count)
    appetite = 0.35 * wealth + 0.94 * rng.standard_normal(count)
    age = (YOUNGEST + (OLDEST + 1 - YOUNGEST) * rng.beta(1.7, 2.3, count)).astype(np.int64)
    financial = _overdispersed(rng, 2.5 * np.exp(0.30 * wealth + 0.20 * appetite), 2.5)
    cooperative = _overdispersed(rng, np.full(count, 0.27), 0.3)
    retail = _overdispersed(rng, 1.2 * np.exp(0.30 * appetite), 1.0)
    inquiries = _overdispersed(rng, 4.1 * np.exp(0.35 * appetite - 0.012 * (age - 43)), 5.0)
    salary = MEDIAN_SALARY * np.exp(0.7 * wealth)
    loans = _skewed(rng, 1_000_000 * np.exp(0.75 * wealth), 0.7)
    balance = _balance(rng, financial, wealth)
    return Borrowers(
        age=age,
        self_employed=(rng.random(count) < SELF_EMPLOYED_SHARE).astype(np.int64),
        wealth=wealth,
        salary=_stepped(salary),
        other_loans=_stepped(np.where(rng.random(count) < NO_OTHER_LOANS, 0, loans)),
        score=_score(rng, age, retail, inquiries),
        financial=financial,
        cooperative=cooperative,
        retail=retail,
        open_credits=financial + cooperative + retail + rng.poisson(1.4, count),
        inquiries=inquiries,
        balance=balance,
        principal=_principal(rng, balance),
        overdue=_rarely(rng, OVERDUE_SHARE, _skewed(rng, np.full(count, 350.0), 1.7)),
        codebtor_overdue=_rarely(
            rng, CODEBTOR_OVERDUE_SHARE, _skewed(rng, np.full(count, 400.0), 1.5)
        ),
        income=_income(rng, wealth),
        trend=rng.choice(len(TRENDS), count, p=TREND_SHARES),
    )
