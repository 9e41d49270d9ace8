"""What the lender's file gets wrong by itself: gaps where the bureau knows little, absurd entries."""

from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clientela.pipelines.data_generation.borrowers import (
    EMPLOYMENTS,
    LATE_SHARE,
    TRENDS,
    Borrowers,
    CreditSimulation,
    LoanTerms,
    draw_borrowers,
    draw_late_payments,
    draw_leaky_score,
    draw_loan_terms,
    late_payment_log_odds,
)
from clientela.pipelines.data_generation.simulation import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    Dirt,
    Floats,
    Ints,
    RowBlock,
    SimulatedTable,
    copy_rows,
    empty_column,
    expected_roc_auc,
    negate_column,
    replace_values,
    select_positive_shares,
)

# What the lender's file gets wrong by itself: gaps where the bureau knows little, absurd entries.
#
# Every sample has it, in fixed shares; the dirt that parameters add comes on top.


Flags = NDArray[np.bool_]

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


def draw_missing_masks(block: RowBlock, rng: np.random.Generator) -> dict[str, Flags]:
    """Which rows lack which column, in exact numbers.

    Returns:
        A mask per column of `MISSING_SHARES`; True where the value is missing.
    """
    thinness = rng.permutation(block.rows)
    return {column: thinness < block.count(share) for column, share in MISSING_SHARES.items()}


def _draw_rows(block: RowBlock, rng: np.random.Generator, share: float) -> Ints:
    return rng.choice(block.rows, block.count(share), replace=False)


def add_absurd_ages(block: RowBlock, rng: np.random.Generator, age: Ints) -> Ints:
    """The ages, some of them those of nobody alive."""
    entered = age.copy()
    victims = _draw_rows(block, rng, ABSURD_AGE_SHARE)
    entered[victims] = np.resize(ABSURD_AGES, len(victims))
    return entered


def _inflate_amounts(rng: np.random.Generator, amounts: Ints) -> Ints:
    """Amounts times up to ten to the power of `MOST_ABSURD_EXPONENT`."""
    factor = 10 ** rng.uniform(0.5, MOST_ABSURD_EXPONENT, len(amounts))
    return np.minimum(amounts * factor, HIGHEST_SALARY / 2).astype(np.int64)


def add_absurd_salaries(block: RowBlock, rng: np.random.Generator, salary: Ints) -> Ints:
    """The salaries, some zero, some with digits too many, the first of those 22,000,000,000."""
    entered = salary.copy()
    entered[_draw_rows(block, rng, NO_SALARY_SHARE)] = 0
    victims = _draw_rows(block, rng, ABSURD_SALARY_SHARE)
    entered[victims] = _inflate_amounts(rng, salary[victims])
    if block.position == 0:
        entered[victims[:1]] = HIGHEST_SALARY
    return entered


def add_absurd_loans(block: RowBlock, rng: np.random.Generator, loans: Ints) -> Ints:
    """The totals of other loans, some with digits too many."""
    entered = loans.copy()
    victims = _draw_rows(block, rng, ABSURD_LOANS_SHARE)
    entered[victims] = _inflate_amounts(rng, loans[victims])
    return entered


def format_income_trends(
    block: RowBlock, rng: np.random.Generator, trend: Ints, missing: Flags
) -> pa.Array:
    """`tendencia_ingresos` as text: three words, and now and then the number behind them.

    Args:
        missing: True where the value is missing.
    """
    words = np.array(TRENDS, dtype=object)[trend]
    known = np.flatnonzero(~missing)
    victims = rng.choice(known, min(block.count(NUMBER_AS_TREND_SHARE), len(known)), replace=False)
    change = MEDIAN_CHANGE * np.exp(1.5 * rng.standard_normal(len(victims)))
    falls = rng.random(len(victims)) < FALLING_SHARE
    signed = np.where(falls, -change, change).astype(np.int64)
    words[victims] = signed.astype(str)
    return pa.array(words, pa.string(), mask=missing)


# The simulated loans as the lender exports them, and their report.


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

UNKNOWN_EMPLOYMENTS: Final = ("Pensionado", "Estudiante", "X")

_SPOILERS: Final = {
    "exact_duplicate": copy_rows,
    "impossible_date": replace_values("fecha_prestamo", IMPOSSIBLE_DAYS),
    "missing_date": empty_column("fecha_prestamo"),
    "negative_capital": negate_column("capital_prestado"),
    "negative_instalment": negate_column("cuota_pactada"),
    "unparseable_salary": replace_values("salario_cliente", NO_NUMBERS),
    "unknown_employment": replace_values("tipo_laboral", UNKNOWN_EMPLOYMENTS),
    "missing_target": empty_column("Pago_atiempo"),
}


def _convert_to_decimals(values: Floats, places: int) -> pa.Array:
    """Numbers that the lender's file writes with a decimal point, whole ones too."""
    return pa.array(values).cast(pa.decimal128(18, places))


def _build_declared_columns(
    block: RowBlock, rng: np.random.Generator, people: Borrowers
) -> dict[str, Any]:
    return {
        "edad_cliente": add_absurd_ages(block, rng, people.age),
        "tipo_laboral": pa.array(EMPLOYMENTS).take(pa.array(people.self_employed)),
        "salario_cliente": add_absurd_salaries(block, rng, people.salary),
        "total_otros_prestamos": add_absurd_loans(block, rng, people.other_loans),
    }


def _build_bureau_columns(
    block: RowBlock, rng: np.random.Generator, people: Borrowers
) -> dict[str, Any]:
    missing = draw_missing_masks(block, rng)
    partly_missing = {
        "puntaje_datacredito": people.score,
        "saldo_mora": people.overdue,
        "saldo_total": people.balance,
        "saldo_principal": people.principal,
        "saldo_mora_codeudor": people.codebtor_overdue,
        "promedio_ingresos_datacredito": people.income,
    }
    trend = format_income_trends(block, rng, people.trend, missing["tendencia_ingresos"])
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


def _build_terms_columns(terms: LoanTerms) -> dict[str, Any]:
    return {
        "tipo_credito": terms.product,
        "fecha_prestamo": pa.array(terms.second).cast(pa.timestamp("s")),
        "capital_prestado": _convert_to_decimals(terms.capital, 1),
        "plazo_meses": terms.months,
        "cuota_pactada": terms.instalment,
    }


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
    columns = (
        _build_terms_columns(terms)
        | _build_declared_columns(block, entry, people)
        | _build_bureau_columns(block, entry, people)
        | {
            "puntaje": _convert_to_decimals(draw_leaky_score(outcome, late), 6),
            "Pago_atiempo": 1 - late,
        }
    )
    return pa.table({name: columns[name] for name in COLUMNS})


def late_payment_probability(simulation: CreditSimulation) -> Floats:
    """True probability of late payment per loan, given the facts before gaps and junk."""
    parts = []
    for block in simulation.blocks():
        people = draw_borrowers(block)
        trait = late_payment_log_odds(people, draw_loan_terms(simulation, block, people))
        parts.append(draw_late_payments(block, block.create_rng("outcome"), trait)[1])
    return np.concatenate(parts)


def simulate_loans(simulation: CreditSimulation) -> SimulatedTable:
    """One row per loan, target included, not yet drawn."""
    dirt = Dirt(select_positive_shares(simulation.dirt), _SPOILERS)
    return SimulatedTable(simulation, COLUMNS, partial(build_loans_table, simulation), dirt)


def credit_report(simulation: CreditSimulation) -> dict[str, Any]:
    """What a simulated lender's file holds and how well a model could do at the very best.

    Returns:
        `loans`, `lines` (of the CSV without its header), `late` (clean loans not paid on time),
        `ceiling_roc_auc` (see `expected_roc_auc`; of someone who knows the law and the facts that
        the file has lost), and `dirt`: rows per kind.
    """
    return {
        "loans": simulation.rows,
        "lines": simulation.lines(),
        "late": round(LATE_SHARE * simulation.rows),
        "ceiling_roc_auc": round(expected_roc_auc(late_payment_probability(simulation)), 4),
        "dirt": simulation.count_dirty_rows(),
    }
