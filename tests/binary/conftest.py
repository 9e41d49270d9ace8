"""Borrowers whose paying follows income and habits, in every binary test."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def borrowers():
    """400 borrowers with numbers, words and gaps; and codes, about 80 % of them 1."""
    generator = np.random.default_rng(11)
    income = generator.lognormal(0, 0.6, size=400)
    work = generator.choice(["Empleado", "Independiente", "Pensionado"], size=400)
    debts = generator.poisson(1.5, size=400).astype(float)
    odds = 1.2 + 1.5 * np.log(income) - 0.5 * debts + (work == "Empleado")
    codes = (generator.random(400) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    features = pd.DataFrame(
        {
            "ingresos": np.where(generator.random(400) < 0.1, np.nan, income),
            "tipo_laboral": pd.Series(work).where(generator.random(400) < 0.95),
            "deudas": debts,
            "huella": generator.normal(size=400),
        },
    ).set_axis(pd.RangeIndex(5000, 5400, name="id_credito"))
    return features, codes
