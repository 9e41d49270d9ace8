"""Customers whose buying follows one latent taste, in every ordinal test."""

import numpy as np
import pandas as pd
import pytest

VALUES = (0.0, 1.0, 2.0, 4.0)


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
