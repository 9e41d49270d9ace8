from typing import Any

import numpy as np
import pandas as pd
import pytest

from clientela.models.problem import Problem, create_problem
from clientela.models.settings import TrainingSettings

CLASSES = ("sin_compra", "baja", "media", "alta")

SCHEMA: dict[str, Any] = {
    "key": "id_cliente",
    "target": "target_compra_tecnologia",
    "required": ["gasto_3m", "num_tx_total", "edad"],
    "extra": ["sin_historial", "compras_tecnologia_3m"],
    "last_quarter": "compras_tecnologia_3m",
    "classes": list(CLASSES),
    "values": [0.0, 1.0, 2.0, 4.0],
    "lower_bounds": [0, 1, 2, 4],
}

SETTINGS: dict[str, Any] = {
    "primary_metric": "qwk",
    "folds": 3,
    "repeats": 1,
    "inner_folds": 2,
    "bootstrap": 100,
    "tuning": {"trials": 2, "folds": 2},
    "labels": {"gasto_3m": "gasto en 3 meses"},
    "candidates": {
        "mayoria": {"kind": "majority", "role": "rule"},
        "ultimo_trimestre": {"kind": "last_quarter", "role": "rule"},
        "requerido": {
            "kind": "xgboost_regressor",
            "role": "required",
            "features": "required",
            "decisions": ["nearest"],
            "params": {"n_estimators": 8, "max_depth": 3},
        },
        "lineal": {
            "kind": "proportional_odds",
            "role": "challenger",
            "decisions": ["thresholds", "median"],
            "params": {"l2": 1.0},
            "search": {"l2": {"low": 0.1, "high": 10.0, "log": True}},
        },
    },
}


@pytest.fixture
def customers() -> pd.DataFrame:
    """240 customers whose taste drives spending, last quarter's purchases and the target."""
    rng = np.random.default_rng(3)
    taste = rng.gamma(1.2, 0.9, size=240)
    purchases = rng.poisson(taste)
    return pd.DataFrame(
        {
            "id_cliente": [f"C{i:04d}" for i in rng.permutation(240)],
            "gasto_3m": (taste * rng.lognormal(0, 0.6, 240) * 100).round(2),
            "num_tx_total": rng.poisson(5 + 4 * taste).astype(float),
            "edad": rng.integers(18, 80, 240).astype(float),
            "sin_historial": np.zeros(240),
            "compras_tecnologia_3m": rng.poisson(taste).astype(float),
            "target_compra_tecnologia": np.array(CLASSES)[
                np.searchsorted([1, 2, 4], purchases, side="right")
            ],
        }
    )


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings as a file would hold them; a test may replace entries of its copy."""
    return {**SETTINGS, "candidates": dict(SETTINGS["candidates"])}


@pytest.fixture
def problem() -> Problem:
    return create_problem("ordinal", SCHEMA, TrainingSettings.model_validate(SETTINGS))


@pytest.fixture
def schema() -> dict[str, Any]:
    return dict(SCHEMA)


@pytest.fixture
def train(customers: pd.DataFrame) -> pd.DataFrame:
    """All customers, sorted by key as a training part is."""
    return customers.sort_values("id_cliente", ignore_index=True)
