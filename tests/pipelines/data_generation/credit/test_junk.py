from itertools import pairwise

import numpy as np
import pandas as pd

from clientela.pipelines.data_generation.credit import (
    TRENDS,
    add_absurd_values,
    draw_missing_masks,
    format_income_trends,
)
from clientela.pipelines.data_generation.simulation import RowBlock

MISSING = {
    "tendencia_ingresos": 2932,
    "promedio_ingresos_datacredito": 2930,
    "saldo_mora_codeudor": 590,
    "saldo_principal": 405,
    "saldo_mora": 156,
    "saldo_total": 156,
    "puntaje_datacredito": 6,
}


def test_as_many_values_are_missing_as_in_the_real_file(loans):
    missing = loans.isna().sum()
    assert missing[missing > 0].to_dict() == MISSING


def test_gaps_are_nested(block):
    masks = draw_missing_masks(block, np.random.default_rng(1))
    ordered = sorted(masks.values(), key=np.sum)
    assert all((thin <= thick).all() for thin, thick in pairwise(ordered))


def test_gaps_of_all_blocks_add_up():
    blocks = [RowBlock(0, 1, 0, 5_000), RowBlock(1, 1, 5_000, 5_763)]
    parts = [draw_missing_masks(block, np.random.default_rng(1)) for block in blocks]
    assert {name: sum(part[name].sum() for part in parts) for name in MISSING} == MISSING


def test_numbers_stand_among_the_three_words(loans):
    entered = loans["tendencia_ingresos"].dropna()
    junk = entered[~entered.isin(TRENDS)]
    assert len(junk) == 58
    assert set(entered) > set(TRENDS)
    assert pd.to_numeric(junk).lt(0).any()


def test_a_column_without_a_single_value_gets_no_numbers(block):
    missing = np.full(block.rows, fill_value=True)
    trend = np.zeros(block.rows, np.int64)
    entered = format_income_trends(block, np.random.default_rng(1), trend, missing)
    assert entered.null_count == block.rows


def test_some_ages_are_absurd(loans):
    absurd = loans.loc[loans["edad_cliente"] > 75, "edad_cliente"]
    assert len(absurd) == 151
    assert set(absurd) == {121, 122, 123}
    assert absurd.mode().item() == 122


def test_one_salary_is_the_absurd_one(loans):
    salary = loans["salario_cliente"]
    assert salary.max() == 22_000_000_000
    assert (salary == salary.max()).sum() == 1
    assert (salary == 0).sum() == 22
    assert salary.skew() > 20


def test_absurd_entries_leave_the_truth_alone(block, borrowers):
    before = {name: values.copy() for name, values in vars(borrowers).items()}
    rng = np.random.default_rng(1)
    add_absurd_values(block, rng, borrowers)
    assert all((vars(borrowers)[name] == values).all() for name, values in before.items())


def test_money_is_skewed_as_the_requirement_found(loans):
    skew = loans.skew(numeric_only=True)
    for column in ("salario_cliente", "total_otros_prestamos", "saldo_mora", "saldo_mora_codeudor"):
        assert skew[column] > 20, column
