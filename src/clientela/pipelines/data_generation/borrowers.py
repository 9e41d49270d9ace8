"""What a simulated lender looks like: size, dates, seed and dirt."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import expit

from clientela.pipelines.data_generation.simulation import (
    SECONDS_PER_HOUR,
    Floats,
    Ints,
    RowBlock,
    Share,
    TableSimulation,
)

# What a simulated lender looks like: size, dates, seed and dirt.


class CreditDirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
    impossible_date: Share = Field(0.0005, description="A fecha_prestamo that no calendar has.")
    missing_date: Share = Field(0.0005, description="Empty fecha_prestamo.")
    negative_capital: Share = Field(0.0005, description="A capital_prestado below zero.")
    negative_instalment: Share = Field(0.0005, description="A cuota_pactada below zero.")
    unparseable_salary: Share = Field(0.0005, description="A salary that is no number.")
    unknown_employment: Share = Field(0.0005, description="A tipo_laboral nobody defined.")
    missing_target: Share = Field(0.0005, description="Empty Pago_atiempo.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the age.")


class CreditSimulation(TableSimulation):
    """One simulated lender; equal parameters give equal bytes."""

    rows: int = Field(
        10_763, ge=100, le=50_000_000, description="Loans, added duplicates not counted."
    )
    start: date = Field(date(2024, 11, 26), description="First day with loans.")
    end: date = Field(date(2026, 4, 26), description="Last day with loans, included.")
    dirt: CreditDirtShares | None = Field(
        None, description="Share of rows per kind; null for the junk of the real file alone."
    )

    @model_validator(mode="after")
    def _validate_date_order(self) -> Self:
        if self.end < self.start:
            message = (
                f"expected end >= start, got start={self.start} and end={self.end}: "
                "swap them or move one of them"
            )
            raise ValueError(message)
        return self


# Who borrows: simulated people and what a credit bureau knows of them, before anything is lost.
#
# Two latent traits tie the columns together: wealth (salary, debts, ticket) and appetite for credit
# (open credits, inquiries). Laws are plain ones with rounded parameters; no row and no frequency
# table of a real portfolio is in them.


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
        codebtor_overdue: Overdue debts that the borrower vouches for.
        income: Monthly income as the bureau estimates it.
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


def _draw_overdispersed_counts(rng: np.random.Generator, mean: Floats, shape: float) -> Ints:
    """Negative binomial counts: Poisson with a gamma-distributed mean."""
    return rng.poisson(mean * rng.gamma(shape, 1 / shape, len(mean)))


def _draw_log_normal_amounts(rng: np.random.Generator, median: Floats, sigma: float) -> Floats:
    """Log-normal amounts around their medians."""
    return median * np.exp(sigma * rng.standard_normal(len(median)))


def _draw_rare_amounts(rng: np.random.Generator, share: float, amounts: Floats) -> Ints:
    """The amounts where a rare event happens, 0 elsewhere."""
    return np.where(rng.random(len(amounts)) < share, np.ceil(amounts), 0).astype(np.int64)


def _round_to_salary_step(amounts: Floats) -> Ints:
    return (np.rint(amounts / SALARY_STEP) * SALARY_STEP).astype(np.int64)


def _draw_bureau_score(rng: np.random.Generator, age: Ints, retail: Ints, inquiries: Ints) -> Ints:
    """Older people score higher; shop credits and inquiries cost points."""
    luck = 0.84 * rng.standard_normal(len(age))
    trait = 0.35 * (age - 43) / 12.5 - 0.14 * (retail - 1.3) - 0.06 * (inquiries - 4.2) + luck
    score = np.clip(MEAN_SCORE + SCORE_SPREAD * trait, LOWEST_SCORE, HIGHEST_SCORE)
    return np.where(rng.random(len(age)) < NO_SCORE_SHARE, 0, np.rint(score)).astype(np.int64)


def _draw_balance(rng: np.random.Generator, financial: Ints, wealth: Floats) -> Ints:
    """Thousands owed: the more credits with banks, the more."""
    median = 14_000 * ((1 + financial) / 3) ** 1.3 * np.exp(0.35 * wealth)
    owed = _draw_log_normal_amounts(rng, median, 1.1)
    return np.where(rng.random(len(wealth)) < NO_BALANCE_SHARE, 0, owed).astype(np.int64)


def _draw_principal(rng: np.random.Generator, balance: Ints) -> Ints:
    part = np.where(
        rng.random(len(balance)) < ALL_PRINCIPAL_SHARE, 1.0, rng.uniform(0.3, 1.0, len(balance))
    )
    return (balance * part).astype(np.int64)


def _draw_income(rng: np.random.Generator, wealth: Floats) -> Ints:
    """What the bureau estimates: for many the minimum wage."""
    estimate = _draw_log_normal_amounts(rng, 1_800_000 * np.exp(0.2 * wealth), 0.75)
    minimum = MINIMUM_WAGE * (1 + 0.01 * rng.standard_normal(len(wealth)))
    at_minimum = rng.random(len(wealth)) < MINIMUM_WAGE_SHARE
    return np.where(at_minimum, minimum, estimate).astype(np.int64)


def draw_borrowers(block: RowBlock) -> Borrowers:
    """Draw the borrowers of a block."""
    rng, count = block.create_rng("customers"), block.rows
    wealth = rng.standard_normal(count)
    appetite = 0.35 * wealth + 0.94 * rng.standard_normal(count)
    age = (YOUNGEST + (OLDEST + 1 - YOUNGEST) * rng.beta(1.7, 2.3, count)).astype(np.int64)
    financial = _draw_overdispersed_counts(rng, 2.5 * np.exp(0.30 * wealth + 0.20 * appetite), 2.5)
    cooperative = _draw_overdispersed_counts(rng, np.full(count, 0.27), 0.3)
    retail = _draw_overdispersed_counts(rng, 1.2 * np.exp(0.30 * appetite), 1.0)
    inquiries = _draw_overdispersed_counts(
        rng, 4.1 * np.exp(0.35 * appetite - 0.012 * (age - 43)), 5.0
    )
    salary = MEDIAN_SALARY * np.exp(0.7 * wealth)
    loans = _draw_log_normal_amounts(rng, 1_000_000 * np.exp(0.75 * wealth), 0.7)
    balance = _draw_balance(rng, financial, wealth)
    return Borrowers(
        age=age,
        self_employed=(rng.random(count) < SELF_EMPLOYED_SHARE).astype(np.int64),
        wealth=wealth,
        salary=_round_to_salary_step(salary),
        other_loans=_round_to_salary_step(np.where(rng.random(count) < NO_OTHER_LOANS, 0, loans)),
        score=_draw_bureau_score(rng, age, retail, inquiries),
        financial=financial,
        cooperative=cooperative,
        retail=retail,
        open_credits=financial + cooperative + retail + rng.poisson(1.4, count),
        inquiries=inquiries,
        balance=balance,
        principal=_draw_principal(rng, balance),
        overdue=_draw_rare_amounts(
            rng, OVERDUE_SHARE, _draw_log_normal_amounts(rng, np.full(count, 350.0), 1.7)
        ),
        codebtor_overdue=_draw_rare_amounts(
            rng, CODEBTOR_OVERDUE_SHARE, _draw_log_normal_amounts(rng, np.full(count, 400.0), 1.5)
        ),
        income=_draw_income(rng, wealth),
        trend=rng.choice(len(TRENDS), count, p=TREND_SHARES),
    )


# What is lent: product, day, amount, term and instalment of each simulated loan.


PRODUCTS: Final = (4, 9, 10, 6)
PRODUCT_SHARES: Final = (0.72, 0.267, 0.011, 0.002)
MONTHS: Final = (6, 12, 10, 9, 8, 24, 36, 11, 18, 5, 3, 2)
MONTHS_SHARES: Final = (
    0.31,
    0.25,
    0.14,
    0.06,
    0.05,
    0.045,
    0.035,
    0.03,
    0.025,
    0.025,
    0.015,
    0.015,
)

MEDIAN_CAPITAL: Final = 1_900_000
SMALLEST_CAPITAL: Final = 360_000
OPENING_HOUR, CLOSING_HOUR = 7, 21
SECONDS_PER_DAY: Final = 24 * SECONDS_PER_HOUR


@dataclass(frozen=True)
class LoanTerms:
    """One entry per loan of a block.

    Attributes:
        product: Code of the product.
        elapsed: When within the window it was lent, 0 at its start, 1 at its end.
        second: Second since 1970 of the loan, local time.
        capital: Amount lent, one decimal.
    """

    product: Ints
    elapsed: Floats
    second: Ints
    months: Ints
    capital: Floats
    instalment: Ints


def _draw_loan_times(
    rng: np.random.Generator, simulation: CreditSimulation, elapsed: Floats
) -> Ints:
    """Moments in opening hours; the early months of the window hold most of the loans."""
    first = (simulation.start - date(1970, 1, 1)).days
    days = (simulation.end - simulation.start).days + 1
    day = first + np.minimum(elapsed * days, days - 1).astype(np.int64)
    hour = OPENING_HOUR + (CLOSING_HOUR - OPENING_HOUR) * rng.beta(2.4, 2.2, len(elapsed))
    return day * SECONDS_PER_DAY + (hour * SECONDS_PER_HOUR).astype(np.int64)


def draw_loan_terms(
    simulation: CreditSimulation, block: RowBlock, borrowers: Borrowers
) -> LoanTerms:
    """Draw the terms of a block's loans.

    Args:
        borrowers: To whom; the wealthy borrow more.
    """
    rng, count = block.create_rng("transactions"), block.rows
    elapsed = rng.beta(1.3, 3.2, count)
    months = rng.choice(MONTHS, count, p=MONTHS_SHARES)
    trait = 0.25 * np.log(months / 9) + 0.2 * borrowers.wealth + 0.55 * rng.standard_normal(count)
    capital = np.maximum(MEDIAN_CAPITAL * np.exp(trait), SMALLEST_CAPITAL).round(1)
    # instalments of the declining-balance kind come out below capital / months for short terms
    divisor = np.clip(1.1 + 0.09 * rng.standard_normal(count), 0.7, 1.3)
    return LoanTerms(
        product=rng.choice(PRODUCTS, count, p=PRODUCT_SHARES),
        elapsed=elapsed,
        second=_draw_loan_times(rng, simulation, elapsed),
        months=months,
        capital=capital,
        instalment=(capital / months / divisor).astype(np.int64),
    )


# Who pays late: a weak honest signal in the columns, and the score that gives the answer away.
#
# The weights are set so that a sound model reaches about .70 in ROC-AUC in a random split, as on real
# consumer loans, and less out of time: the bureau's score and the inquiries lose half of their weight
# over the window.


LATE_SHARE: Final = 0.0475
LONG_TERM_MONTHS: Final = 24

FULL_SCORE: Final = 95.227787
LOWEST_SCORE_ON_TIME: Final = 63.81
HIGHEST_SCORE_LATE: Final = 62.67
FULL_SCORE_SHARE: Final = 0.92
SCORE_LOSS_ON_TIME: Final = 6.0
SCORE_RANGE_LATE: Final = 100.0


def late_payment_log_odds(borrowers: Borrowers, terms: LoanTerms) -> Floats:
    """Log-odds of paying late, up to a constant that sets the share of late payers."""
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


def draw_late_payments(
    block: RowBlock, rng: np.random.Generator, trait: Floats
) -> tuple[Ints, Floats]:
    """Which loans are paid late, 1 or 0, and how probable that was.

    A logistic latent variable above a threshold is a logit model (McFadden, 1974); the threshold
    lies where exactly `LATE_SHARE` of the loans are above it.
    """
    latent = trait + rng.logistic(size=block.rows)
    late = np.zeros(block.rows, np.int64)
    descending = np.argsort(-latent, kind="stable")
    count = block.count(LATE_SHARE)
    late[descending[:count]] = 1
    threshold = latent[descending[min(count, block.rows - 1)]]
    return late, expit(trait - threshold)


def draw_leaky_score(rng: np.random.Generator, late: Ints) -> Floats:
    """`puntaje`: computed after the fact, it separates the classes without a single mistake.

    Args:
        rng: Stream of the outcomes, after the outcomes.

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
