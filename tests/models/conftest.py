"""Borrowers who pay or do not, and customers who buy more or less: two tables for every test."""

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


@pytest.fixture(scope="session")
def customers():
    """120 customers: last quarter's purchases, spend, noise; and codes 0..3."""
    generator = np.random.default_rng(7)
    taste = generator.gamma(0.8, 1.5, size=120)
    purchases = generator.poisson(taste)
    features = pd.DataFrame(
        {
            "num_tecnologia_3m": generator.poisson(taste).astype(float),
            "gasto_3m": np.round(taste * 20 + generator.normal(0, 5, size=120), 2),
            "ruido": np.round(generator.normal(size=120), 3),
        },
        index=pd.Index(range(1000, 1120), name="id_cliente"),
    )
    return features, np.searchsorted([0, 1, 2, 4], purchases, side="right") - 1
