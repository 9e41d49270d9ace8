"""Customers with a taste, and ordinal models of every kind learned from them."""

from typing import Any

import numpy as np
import pandas as pd

from clientela.features.columns import InputField
from clientela.models.problem import Candidate, Problem, create_problem
from clientela.models.settings import TrainingSettings
from clientela.models.stored_model import StoredModel
from clientela.pipelines.training.model_selection import fit_model

CLASSES = ("sin_compra", "baja", "media", "alta")
FEATURES = ("gasto_3m", "num_tx_total", "edad", "compras_tecnologia_3m")
BOOSTED = {"n_estimators": 12, "max_depth": 2}

SCHEMA: dict[str, Any] = {
    "key": "id_cliente",
    "target": "target_compra_tecnologia",
    "required": list(FEATURES[:3]),
    "extra": [FEATURES[3]],
    "last_quarter": FEATURES[3],
    "classes": list(CLASSES),
    "values": [0.0, 1.0, 2.0, 4.0],
    "lower_bounds": [0, 1, 2, 4],
}

KINDS: dict[str, tuple[str, ...]] = {
    "majority": (),
    "last_quarter": (),
    "xgboost_regressor": ("nearest", "thresholds", "argmax", "median"),
    "xgboost_cumulative": ("argmax", "thresholds"),
    "proportional_odds": ("median", "nearest"),
}
"""Kind to the decision rules that it is tried with."""

MODELS = [(kind, rule) for kind, rules in KINDS.items() for rule in rules or (None,)]

FIELDS = [InputField(name=name, kind="number", required=name != "edad") for name in FEATURES]


def customers(rows: int = 240, classes: int = 4) -> pd.DataFrame:
    """Customers whose taste drives spending, last quarter's purchases and the target."""
    rng = np.random.default_rng(3)
    taste = rng.gamma(1.2, 0.9, size=rows)
    reached = np.searchsorted([1, 2, 4], rng.poisson(taste), side="right")
    return pd.DataFrame(
        {
            "id_cliente": [f"C{i:04d}" for i in range(rows)],
            "gasto_3m": (taste * rng.lognormal(0, 0.6, rows) * 100).round(2),
            "num_tx_total": rng.poisson(5 + 4 * taste).astype(float),
            "edad": rng.integers(18, 80, rows).astype(float),
            "compras_tecnologia_3m": rng.poisson(taste).astype(float),
            "target_compra_tecnologia": np.array(CLASSES)[np.minimum(reached, classes - 1)],
        }
    )


def problem(kind: str) -> Problem:
    params = BOOSTED if kind.startswith("xgboost") else {}
    candidates = {
        "regla": {"kind": "majority", "role": "rule"},
        "modelo": {"kind": kind, "role": "required", "params": params},
    }
    settings = {"primary_metric": "qwk", "inner_folds": 2, "candidates": candidates}
    return create_problem("ordinal", SCHEMA, TrainingSettings.model_validate(settings))


def learned(kind: str, decision: str | None, rows: pd.DataFrame) -> StoredModel:
    asked = problem(kind)
    params = asked.settings.candidates["modelo"].params
    return fit_model(rows, Candidate("modelo", "all", decision, params), asked)
