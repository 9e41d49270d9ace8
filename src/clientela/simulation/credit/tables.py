"""The simulated loans as the lender exports them, and their report."""

from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from clientela.simulation.ceiling import expected_roc_auc
from clientela.simulation.chunks import RowBlock
from clientela.simulation.credit.borrowers import EMPLOYMENTS, Borrowers, borrowers_of
from clientela.simulation.credit.junk import (
    gaps,
    trends_as_entered,
    with_absurd_ages,
    with_absurd_loans,
    with_absurd_salaries,
)
from clientela.simulation.credit.parameters import CreditSimulation
from clientela.simulation.credit.risk import (
    LATE_SHARE,
    late_payment,
    late_payment_trait,
    score_in_disguise,
)
from clientela.simulation.credit.terms import Terms, terms_of
from clientela.simulation.dirt import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    Dirt,
    emptied,
    negated,
    replaced,
    unchanged,
)
from clientela.simulation.parameters import occurring_shares
from clientela.simulation.seasonality import Floats
from clientela.simulation.single_table import SimulatedTable

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
    "exact_duplicate": unchanged,
    "impossible_date": replaced("fecha_prestamo", IMPOSSIBLE_DAYS),
    "missing_date": emptied("fecha_prestamo"),
    "negative_capital": negated("capital_prestado"),
    "negative_instalment": negated("cuota_pactada"),
    "unparseable_salary": replaced("salario_cliente", NO_NUMBERS),
    "unknown_employment": replaced("tipo_laboral", UNKNOWN_EMPLOYMENTS),
    "missing_target": emptied("Pago_atiempo"),
}


def _decimals(values: Floats, places: int) -> pa.Array:
    """Numbers that the lender's file writes with a decimal point, whole ones too."""
    return pa.array(values).cast(pa.decimal128(18, places))


def _as_declared(block: RowBlock, rng: np.random.Generator, people: Borrowers) -> dict[str, Any]:
    return {
        "edad_cliente": with_absurd_ages(block, rng, people.age),
        "tipo_laboral": pa.array(EMPLOYMENTS).take(pa.array(people.self_employed)),
        "salario_cliente": with_absurd_salaries(block, rng, people.salary),
        "total_otros_prestamos": with_absurd_loans(block, rng, people.other_loans),
    }


def _as_the_bureau_knows(
    block: RowBlock, rng: np.random.Generator, people: Borrowers
) -> dict[str, Any]:
    missing = gaps(block, rng)
    partly_missing = {
        "puntaje_datacredito": people.score,
        "saldo_mora": people.overdue,
        "saldo_total": people.balance,
        "saldo_principal": people.principal,
        "saldo_mora_codeudor": people.codebtor_overdue,
        "promedio_ingresos_datacredito": people.income,
    }
    trend = trends_as_entered(block, rng, people.trend, missing["tendencia_ingresos"])
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


def _as_agreed(terms: Terms) -> dict[str, Any]:
    return {
        "tipo_credito": terms.product,
        "fecha_prestamo": pa.array(terms.second).cast(pa.timestamp("s")),
        "capital_prestado": _decimals(terms.capital, 1),
        "plazo_meses": terms.months,
        "cuota_pactada": terms.instalment,
    }


def loans_table(simulation: CreditSimulation, block: RowBlock) -> pa.Table:
    """One row per loan of the block, as the lender's system exports it.

    Args:
        simulation: The window.
        block: Which loans.

    Returns:
        The 23 `COLUMNS`: whole numbers, except `fecha_prestamo` (local time, seconds),
        `tipo_laboral` and `tendencia_ingresos` (text), and `capital_prestado`, `puntaje` and the
        six partly missing ones of the bureau (decimals). `Pago_atiempo` is 1 for loans paid on
        time. There is no key.
    """
    people = borrowers_of(block)
    terms = terms_of(simulation, block, people)
    outcome, entry = block.stream("outcome"), block.stream("gaps")
    late, _ = late_payment(block, outcome, late_payment_trait(people, terms))
    columns = (
        _as_agreed(terms)
        | _as_declared(block, entry, people)
        | _as_the_bureau_knows(block, entry, people)
        | {"puntaje": _decimals(score_in_disguise(outcome, late), 6), "Pago_atiempo": 1 - late}
    )
    return pa.table({name: columns[name] for name in COLUMNS})


def late_payment_probability(simulation: CreditSimulation) -> Floats:
    """True probability of late payment per loan, given the facts before gaps and junk.

    Args:
        simulation: Size, dates and seed.
    """
    parts = []
    for block in simulation.blocks():
        people = borrowers_of(block)
        trait = late_payment_trait(people, terms_of(simulation, block, people))
        parts.append(late_payment(block, block.stream("outcome"), trait)[1])
    return np.concatenate(parts)


def simulated_loans(simulation: CreditSimulation) -> SimulatedTable:
    """One row per loan, target included, not yet drawn.

    Args:
        simulation: Size, dates, seed and dirt.
    """
    dirt = Dirt(occurring_shares(simulation.dirt), _SPOILERS)
    return SimulatedTable(simulation, COLUMNS, partial(loans_table, simulation), dirt)


def credit_report(simulation: CreditSimulation) -> dict[str, Any]:
    """What a simulated lender's file holds and how well a model could do at the very best.

    Args:
        simulation: Size, dates, seed and dirt.

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
        "dirt": simulation.dirt_counts(),
    }
