"""A simulated lender: who borrows, what is lent, who pays late, and what its file gets wrong.

Two latent traits tie the columns together: wealth (salary, debts, ticket) and appetite for credit
(open credits, inquiries). Laws are plain ones with rounded parameters; no row and no frequency
table of a real portfolio is in them. The weights are set so that a sound model reaches about .70 in
ROC-AUC in a random split, as on real consumer loans, and less out of time: the bureau's score and
the inquiries lose half of their weight over the window.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from clientela.pipelines.data_generation.simulation import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    SECONDS_PER_HOUR,
    DateWindow,
    DirtShares,
    Floats,
    Ints,
    Plant,
    RowBlock,
    Share,
    Shift,
    SimulatedTable,
    TableSimulation,
    choose_rows,
    clear_column,
    empty_values,
    expected_roc_auc,
    negate_values,
    redraw_outcome,
    replace_values,
    scale_column,
    simulate_next_period,
    write_value,
)

Flags = NDArray[np.bool_]

COLUMNS: Final = (
    "tipo_credito",
    "fecha_prestamo",
    "capital_prestado",
    "plazo_meses",
    "edad_cliente",
    "tipo_laboral",
    "salario_cliente",
    "total_otros_prestamos",
    "cuota_pactada",
    "puntaje",
    "puntaje_datacredito",
    "cant_creditosvigentes",
    "huella_consulta",
    "saldo_mora",
    "saldo_total",
    "saldo_principal",
    "saldo_mora_codeudor",
    "creditos_sectorFinanciero",
    "creditos_sectorCooperativo",
    "creditos_sectorReal",
    "promedio_ingresos_datacredito",
    "tendencia_ingresos",
    "Pago_atiempo",
)

EMPLOYMENTS: Final = ("Empleado", "Independiente")
UNKNOWN_EMPLOYMENTS: Final = ("Pensionado", "Estudiante", "X")
SELF_EMPLOYED_SHARE: Final = 0.37
TRENDS: Final = ("Creciente", "Decreciente", "Estable")
TREND_SHARES: Final = (0.68, 0.165, 0.155)
YOUNGEST, OLDEST = 19, 75
MEDIAN_SALARY: Final = 3_000_000
SALARY_STEP: Final = 1_000
NO_OTHER_LOANS: Final = 0.04

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

PRODUCTS: Final = (4, 9, 10, 6)
PRODUCT_SHARES: Final = (0.72, 0.267, 0.011, 0.002)
MONTHS: Final = (6, 12, 10, 9, 8, 24, 36, 11, 18, 5, 3, 2)
# fmt: off
MONTHS_SHARES: Final = (
    0.31, 0.25, 0.14, 0.06, 0.05, 0.045, 0.035, 0.03, 0.025, 0.025, 0.015, 0.015,
)
# fmt: on
LONG_TERM_MONTHS: Final = 24
MEDIAN_CAPITAL: Final = 1_900_000
SMALLEST_CAPITAL: Final = 360_000
OPENING_HOUR, CLOSING_HOUR = 7, 21
SECONDS_PER_DAY: Final = 24 * SECONDS_PER_HOUR

LATE_SHARE: Final = 0.0475
FULL_SCORE: Final = 95.227787
LOWEST_SCORE_ON_TIME: Final = 63.81
HIGHEST_SCORE_LATE: Final = 62.67
FULL_SCORE_SHARE: Final = 0.92
SCORE_LOSS_ON_TIME: Final = 6.0
SCORE_RANGE_LATE: Final = 100.0

# Who lacks one lacks those that follow: the thinner the bureau's file, the more is missing.
MISSING_SHARES: Final = {
    "puntaje_datacredito": 0.00056,
    "saldo_mora": 0.0145,
    "saldo_total": 0.0145,
    "saldo_principal": 0.0376,
    "saldo_mora_codeudor": 0.0548,
    "promedio_ingresos_datacredito": 0.2722,
    "tendencia_ingresos": 0.2724,
}
NUMBER_AS_TREND_SHARE: Final = 0.0054
MEDIAN_CHANGE: Final = 60_000
FALLING_SHARE: Final = 0.25
ABSURD_AGE_SHARE: Final = 0.014
ABSURD_AGES: Final = (122, 122, 122, 122, 122, 122, 121, 122, 122, 123)
NO_SALARY_SHARE: Final = 0.002
ABSURD_SALARY_SHARE: Final = 0.008
HIGHEST_SALARY: Final = 22_000_000_000
ABSURD_LOANS_SHARE: Final = 0.004
MOST_ABSURD_EXPONENT: Final = 3.6  # of ten: a salary with up to four digits too many

# What each kind of dirt does that parameters add to the junk of the file itself.
_CHANGES: Final = {
    "impossible_date": ("fecha_prestamo", replace_values(IMPOSSIBLE_DAYS)),
    "missing_date": ("fecha_prestamo", empty_values),
    "negative_capital": ("capital_prestado", negate_values),
    "negative_instalment": ("cuota_pactada", negate_values),
    "unparseable_salary": ("salario_cliente", replace_values(NO_NUMBERS)),
    "unknown_employment": ("tipo_laboral", replace_values(UNKNOWN_EMPLOYMENTS)),
    "missing_target": ("Pago_atiempo", empty_values),
}


class CreditDirtShares(DirtShares):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    impossible_date: Share = Field(0.0005, description="A fecha_prestamo that no calendar has.")
    missing_date: Share = Field(0.0005, description="Empty fecha_prestamo.")
    negative_capital: Share = Field(0.0005, description="A capital_prestado below zero.")
    negative_instalment: Share = Field(0.0005, description="A cuota_pactada below zero.")
    unparseable_salary: Share = Field(0.0005, description="A salary that is no number.")
    unknown_employment: Share = Field(0.0005, description="A tipo_laboral nobody defined.")
    missing_target: Share = Field(0.0005, description="Empty Pago_atiempo.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the age.")


class CreditSimulation(DateWindow, TableSimulation):
    """One simulated lender; equal parameters give equal bytes."""

    rows: int = Field(
        10_763, ge=100, le=50_000_000, description="Loans, added duplicates not counted."
    )
    start: date = Field(date(2024, 11, 26), description="First day with loans.")
    end: date = Field(date(2026, 4, 26), description="Last day with loans, included.")
    dirt: CreditDirtShares | None = Field(
        None, description="Share of rows per kind; null for the junk of the real file alone."
    )


def simulate_lender(simulation: CreditSimulation) -> tuple[SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated lender, not yet drawn, and what it will hold.

    Returns:
        Loans (one row per loan), and the report: `loans`, `lines` (of the CSV without its header),
        `late` (clean loans not paid on time), `ceiling_roc_auc` (see `expected_roc_auc`; of someone
        who knows the law and the facts that the file has lost), and `dirt`: rows per kind.
    """
    report = {
        "loans": simulation.rows,
        "lines": simulation.lines(),
        "late": round(LATE_SHARE * simulation.rows),
        "ceiling_roc_auc": round(expected_roc_auc(compute_late_probability(simulation)), 4),
        "dirt": simulation.count_dirty_rows(),
    }
    return simulate_loans(simulation), report


def simulate_loans(simulation: CreditSimulation) -> SimulatedTable:
    """One row per loan, target included, not yet drawn; see `build_loans_table`."""
    return SimulatedTable(simulation, COLUMNS, partial(build_loans_table, simulation), _CHANGES)


PLANTS: Final[dict[Shift, Plant]] = {
    "broken_unit": scale_column("salario_cliente", 0.001),  # thousands for pesos
    "missing_column": clear_column("puntaje_datacredito"),
    "new_category": write_value("tipo_credito", 25),
    "changed_population": choose_rows("salario_cliente"),
    "changed_relation": redraw_outcome("Pago_atiempo", (1, 0), 0.5),
}


def simulate_next_loans(simulation: CreditSimulation) -> tuple[SimulatedTable, SimulatedTable]:
    """The loans of the next two months: as before, and with the change that is asked for."""

    def later(sample: CreditSimulation, period: int) -> dict[str, Any]:
        month = pd.Period(sample.end, "M") + period
        return {"start": month.start_time.date(), "end": month.end_time.date()}

    return simulate_next_period(simulation, simulate_loans, PLANTS, later)


def compute_late_probability(simulation: CreditSimulation) -> Floats:
    """True probability of late payment per loan, given the facts before gaps and junk."""
    parts = []
    for block in simulation.blocks():
        people = draw_borrowers(block)
        trait = late_payment_log_odds(people, draw_loan_terms(simulation, block, people))
        parts.append(draw_late_payments(block, block.create_rng("outcome"), trait)[1])
    return np.concatenate(parts)


@dataclass(frozen=True)
class Borrowers:
    """One entry per loan of a block: its borrower as the truth has it.

    Attributes:
        score: Bureau's score, 0 where it has none.
        codebtor_overdue: Overdue debts that the borrower vouches for.
        income: Monthly income as the bureau estimates it: for many the minimum wage.
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


def draw_borrowers(block: RowBlock) -> Borrowers:
    """Draws the borrowers of a block, before anything is lost."""
    rng, count = block.create_rng("customers"), block.rows
    wealth = rng.standard_normal(count)
    appetite = 0.35 * wealth + 0.94 * rng.standard_normal(count)
    age = (YOUNGEST + (OLDEST + 1 - YOUNGEST) * rng.beta(1.7, 2.3, count)).astype(np.int64)
    financial = _draw_counts(rng, 2.5 * np.exp(0.30 * wealth + 0.20 * appetite), 2.5)
    cooperative = _draw_counts(rng, np.full(count, 0.27), 0.3)
    retail = _draw_counts(rng, 1.2 * np.exp(0.30 * appetite), 1.0)
    inquiries = _draw_counts(rng, 4.1 * np.exp(0.35 * appetite - 0.012 * (age - 43)), 5.0)
    loans = _draw_amounts(rng, 1_000_000 * np.exp(0.75 * wealth), 0.7)
    owed = _draw_amounts(rng, 14_000 * ((1 + financial) / 3) ** 1.3 * np.exp(0.35 * wealth), 1.1)
    balance = np.where(rng.random(count) < NO_BALANCE_SHARE, 0, owed).astype(np.int64)
    return Borrowers(
        age=age,
        self_employed=(rng.random(count) < SELF_EMPLOYED_SHARE).astype(np.int64),
        wealth=wealth,
        salary=_round_to_salary_step(MEDIAN_SALARY * np.exp(0.7 * wealth)),
        other_loans=_round_to_salary_step(np.where(rng.random(count) < NO_OTHER_LOANS, 0, loans)),
        score=_draw_bureau_score(rng, age, retail, inquiries),
        financial=financial,
        cooperative=cooperative,
        retail=retail,
        open_credits=financial + cooperative + retail + rng.poisson(1.4, count),
        inquiries=inquiries,
        balance=balance,
        principal=_draw_principal(rng, balance),
        overdue=_draw_rare_amounts(rng, OVERDUE_SHARE, np.full(count, 350.0), 1.7),
        codebtor_overdue=_draw_rare_amounts(
            rng, CODEBTOR_OVERDUE_SHARE, np.full(count, 400.0), 1.5
        ),
        income=_draw_income(rng, wealth),
        trend=rng.choice(len(TRENDS), count, p=TREND_SHARES),
    )


def _draw_counts(rng: np.random.Generator, mean: Floats, shape: float) -> Ints:
    """Negative binomial counts: Poisson with a gamma-distributed mean."""
    return rng.poisson(mean * rng.gamma(shape, 1 / shape, len(mean)))


def _draw_amounts(rng: np.random.Generator, median: Floats, sigma: float) -> Floats:
    """Log-normal amounts around their medians."""
    return median * np.exp(sigma * rng.standard_normal(len(median)))


def _draw_rare_amounts(
    rng: np.random.Generator, share: float, median: Floats, sigma: float
) -> Ints:
    """Log-normal amounts where a rare event happens, 0 elsewhere."""
    amounts = np.ceil(_draw_amounts(rng, median, sigma))
    return np.where(rng.random(len(median)) < share, amounts, 0).astype(np.int64)


def _round_to_salary_step(amounts: Floats) -> Ints:
    return (np.rint(amounts / SALARY_STEP) * SALARY_STEP).astype(np.int64)


def _draw_bureau_score(rng: np.random.Generator, age: Ints, retail: Ints, inquiries: Ints) -> Ints:
    """Older people score higher; shop credits and inquiries cost points."""
    luck = 0.84 * rng.standard_normal(len(age))
    trait = 0.35 * (age - 43) / 12.5 - 0.14 * (retail - 1.3) - 0.06 * (inquiries - 4.2) + luck
    score = np.clip(MEAN_SCORE + SCORE_SPREAD * trait, LOWEST_SCORE, HIGHEST_SCORE)
    return np.where(rng.random(len(age)) < NO_SCORE_SHARE, 0, np.rint(score)).astype(np.int64)


def _draw_principal(rng: np.random.Generator, balance: Ints) -> Ints:
    is_whole = rng.random(len(balance)) < ALL_PRINCIPAL_SHARE
    share = np.where(is_whole, 1.0, rng.uniform(0.3, 1.0, len(balance)))
    return (balance * share).astype(np.int64)


def _draw_income(rng: np.random.Generator, wealth: Floats) -> Ints:
    estimate = _draw_amounts(rng, 1_800_000 * np.exp(0.2 * wealth), 0.75)
    minimum = MINIMUM_WAGE * (1 + 0.01 * rng.standard_normal(len(wealth)))
    at_minimum = rng.random(len(wealth)) < MINIMUM_WAGE_SHARE
    return np.where(at_minimum, minimum, estimate).astype(np.int64)


@dataclass(frozen=True)
class LoanTerms:
    """One entry per loan of a block.

    Attributes:
        elapsed: When within the window it was lent, 0 at its start, 1 at its end.
        second: Second since 1970 of the loan, local time.
    """

    product: Ints
    elapsed: Floats
    second: Ints
    months: Ints
    capital: Floats
    instalment: Ints


def draw_loan_terms(
    simulation: CreditSimulation, block: RowBlock, borrowers: Borrowers
) -> LoanTerms:
    """Draws the terms of a block's loans: the wealthy borrow more, the early months hold most."""
    rng, count = block.create_rng("transactions"), block.rows
    elapsed = rng.beta(1.3, 3.2, count)
    months = rng.choice(MONTHS, count, p=MONTHS_SHARES)
    trait = 0.25 * np.log(months / 9) + 0.2 * borrowers.wealth + 0.55 * rng.standard_normal(count)
    capital = np.maximum(MEDIAN_CAPITAL * np.exp(trait), SMALLEST_CAPITAL).round(1)
    # instalments of the declining-balance kind come out below capital / months for short terms
    divisor = np.clip(1.1 + 0.09 * rng.standard_normal(count), 0.7, 1.3)
    product = rng.choice(PRODUCTS, count, p=PRODUCT_SHARES)
    days = (simulation.end - simulation.start).days + 1
    first = (simulation.start - date(1970, 1, 1)).days
    day = first + np.minimum(elapsed * days, days - 1).astype(np.int64)
    hour = OPENING_HOUR + (CLOSING_HOUR - OPENING_HOUR) * rng.beta(2.4, 2.2, count)
    return LoanTerms(
        product=product,
        elapsed=elapsed,
        second=day * SECONDS_PER_DAY + (hour * SECONDS_PER_HOUR).astype(np.int64),
        months=months,
        capital=capital,
        instalment=(capital / months / divisor).astype(np.int64),
    )


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

    Returns:
        At most `HIGHEST_SCORE_LATE` for late loans, at least `LOWEST_SCORE_ON_TIME` for the
        others, most of which have the full score.
    """
    count = len(late)
    has_full_score = rng.random(count) < FULL_SCORE_SHARE
    loss = np.where(has_full_score, 0.0, rng.exponential(SCORE_LOSS_ON_TIME, count))
    on_time = np.maximum(FULL_SCORE - loss, LOWEST_SCORE_ON_TIME)
    too_late = HIGHEST_SCORE_LATE - SCORE_RANGE_LATE * rng.beta(1.0, 1.5, count)
    return np.where(late == 1, too_late, on_time).round(6)


def add_absurd_values(
    block: RowBlock, rng: np.random.Generator, people: Borrowers
) -> tuple[Ints, Ints, Ints]:
    """What some applicants declared: impossible ages, amounts with digits too many.

    Every sample has them, in fixed shares; one salary of the first block is 22,000,000,000.
    """

    def draw_rows(share: float) -> Ints:
        return rng.choice(block.rows, block.count(share), replace=False)

    def inflate(amounts: Ints) -> Ints:
        factor = 10 ** rng.uniform(0.5, MOST_ABSURD_EXPONENT, len(amounts))
        return np.minimum(amounts * factor, HIGHEST_SALARY / 2).astype(np.int64)

    age, salary, loans = people.age.copy(), people.salary.copy(), people.other_loans.copy()
    rows = draw_rows(ABSURD_AGE_SHARE)
    age[rows] = np.resize(ABSURD_AGES, len(rows))
    salary[draw_rows(NO_SALARY_SHARE)] = 0
    rows = draw_rows(ABSURD_SALARY_SHARE)
    salary[rows] = inflate(people.salary[rows])
    if block.position == 0:
        salary[rows[:1]] = HIGHEST_SALARY
    rows = draw_rows(ABSURD_LOANS_SHARE)
    loans[rows] = inflate(loans[rows])
    return age, salary, loans


def draw_missing_masks(block: RowBlock, rng: np.random.Generator) -> dict[str, Flags]:
    """Which rows lack which column, in exact numbers: True where the value is missing."""
    thinness = rng.permutation(block.rows)
    return {column: thinness < block.count(share) for column, share in MISSING_SHARES.items()}


def format_income_trends(
    block: RowBlock, rng: np.random.Generator, trend: Ints, missing: Flags
) -> pa.Array:
    """`tendencia_ingresos` as text: three words, and now and then the number behind them."""
    words = np.array(TRENDS, dtype=object)[trend]
    known = np.flatnonzero(~missing)
    victims = rng.choice(known, min(block.count(NUMBER_AS_TREND_SHARE), len(known)), replace=False)
    change = MEDIAN_CHANGE * np.exp(1.5 * rng.standard_normal(len(victims)))
    falls = rng.random(len(victims)) < FALLING_SHARE
    signed = np.where(falls, -change, change).astype(np.int64)
    words[victims] = signed.astype(str)
    return pa.array(words, pa.string(), mask=missing)


def build_loans_table(simulation: CreditSimulation, block: RowBlock) -> pa.Table:
    """One row per loan of the block, as the lender's system exports it.

    Returns:
        The 23 `COLUMNS`: whole numbers, except `fecha_prestamo` (local time, seconds),
        `tipo_laboral` and `tendencia_ingresos` (text), and `capital_prestado`, `puntaje` and the
        six partly missing ones of the bureau (decimals). `Pago_atiempo` is 1 for loans paid on
        time. There is no key.
    """
    people = draw_borrowers(block)
    terms = draw_loan_terms(simulation, block, people)
    outcome, entry = block.create_rng("outcome"), block.create_rng("gaps")
    late, _ = draw_late_payments(block, outcome, late_payment_log_odds(people, terms))
    age, salary, loans = add_absurd_values(block, entry, people)
    columns = {
        "tipo_credito": terms.product,
        "fecha_prestamo": pa.array(terms.second).cast(pa.timestamp("s")),
        # the lender's file writes these with a decimal point, whole ones too
        "capital_prestado": pa.array(terms.capital).cast(pa.decimal128(18, 1)),
        "plazo_meses": terms.months,
        "edad_cliente": age,
        "tipo_laboral": pa.array(EMPLOYMENTS).take(pa.array(people.self_employed)),
        "salario_cliente": salary,
        "total_otros_prestamos": loans,
        "cuota_pactada": terms.instalment,
        "puntaje": pa.array(draw_leaky_score(outcome, late)).cast(pa.decimal128(18, 6)),
        "Pago_atiempo": 1 - late,
        **_build_bureau_columns(block, entry, people),
    }
    return pa.table({name: columns[name] for name in COLUMNS})


def _build_bureau_columns(
    block: RowBlock, rng: np.random.Generator, people: Borrowers
) -> dict[str, Any]:
    missing = draw_missing_masks(block, rng)
    trend = format_income_trends(block, rng, people.trend, missing["tendencia_ingresos"])
    partly_missing = {
        "puntaje_datacredito": people.score,
        "saldo_mora": people.overdue,
        "saldo_total": people.balance,
        "saldo_principal": people.principal,
        "saldo_mora_codeudor": people.codebtor_overdue,
        "promedio_ingresos_datacredito": people.income,
    }
    return {
        "cant_creditosvigentes": people.open_credits,
        "huella_consulta": people.inquiries,
        "creditos_sectorFinanciero": people.financial,
        "creditos_sectorCooperativo": people.cooperative,
        "creditos_sectorReal": people.retail,
        "tendencia_ingresos": trend,
    } | {
        column: pa.array(values.astype(np.float64), mask=missing[column]).cast(pa.decimal128(18, 1))
        for column, values in partly_missing.items()
    }
