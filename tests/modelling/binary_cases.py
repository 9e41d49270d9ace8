"""A small table of loans with words, gaps and a time, as training meets it."""

from typing import Any

import numpy as np
import pandas as pd

from clientela.models.problem import Problem, create_problem
from clientela.models.settings import TrainingSettings

SCHEMA: dict[str, Any] = {
    "key": "id_credito",
    "target": "pago",
    "required": ["ingreso", "deuda", "tipo"],
    "extra": ["tendencia"],
    "classes": ["no_paga", "paga"],
    "values": [0.0, 1.0],
    "numeric": ["ingreso", "deuda"],
    "categorical": ["tipo"],
    "ordinal": {"tendencia": ["baja", "estable", "sube"]},
    "sources": {name: [name] for name in ("ingreso", "deuda", "tipo", "tendencia")},
    "inputs": ["ingreso", "deuda", "tipo", "tendencia"],
    "needed": ["ingreso", "deuda", "tipo"],
    "sensitive": ["genero"],
    "time": "fecha",
    "excluded": {"puntaje": "se conoce solo al terminar el crédito"},
}

SETTINGS: dict[str, Any] = {
    "primary_metric": "roc_auc",
    "test_share": 0.2,
    "folds": 3,
    "repeats": 1,
    "inner_folds": 2,
    "bootstrap": 100,
    "tuning": {"trials": 2, "folds": 2},
    "cases": "créditos",
    "labels": {"tipo": "tipo de crédito"},
    "costs": {"false_positive": 4.0, "false_negative": 1.0},
    "fairness": {"columns": {"genero": {}}, "minimum_group": 5},
    "candidates": {
        "todos_pagan": {"kind": "majority", "role": "rule", "decisions": ["half"]},
        "deuda_alta": {
            "kind": "threshold_rule",
            "role": "rule",
            "params": {"column": "deuda", "limit": 3.0, "positive": "below"},
        },
        "logistica": {
            "kind": "logistic_regression",
            "role": "required",
            "features": "required",
            "decisions": ["half"],
            "preprocessing": {"scaling": "standard"},
        },
        "bosque": {
            "kind": "random_forest",
            "role": "required",
            "decisions": ["half"],
            "params": {"n_estimators": 5, "max_depth": 4},
        },
        "xgboost": {
            "kind": "xgboost_classifier",
            "role": "required",
            "decisions": ["half"],
            "params": {"n_estimators": 5, "max_depth": 2},
        },
        "xgboost_ajustado": {
            "kind": "xgboost_classifier",
            "role": "challenger",
            "decisions": ["cost", "best_cost"],
            "calibrate": "sigmoid",
            "params": {"n_estimators": 8, "max_depth": 2},
            "search": {"max_depth": {"low": 1, "high": 3, "integer": True}},
        },
    },
}


def loans(rows: int = 300, seed: int = 4) -> pd.DataFrame:
    """Loans that are paid back the likelier the lower the debt; every column has gaps."""
    rng = np.random.default_rng(seed)
    income, debt = rng.lognormal(1, 0.5, rows), rng.gamma(2, 1, rows)
    kind = rng.choice(["consumo", "vivienda", "otro"], rows, p=[0.6, 0.3, 0.1])
    trend = rng.choice(["baja", "estable", "sube"], rows)
    odds = 1.5 + 0.4 * income - debt + (kind == "vivienda")
    frame = pd.DataFrame(
        {
            "id_credito": [f"credito-{i:04d}" for i in rng.permutation(rows)],
            "ingreso": np.where(rng.random(rows) < 0.1, np.nan, income),
            "deuda": np.where(rng.random(rows) < 0.05, np.nan, debt),
            "tipo": pd.Series(kind).where(rng.random(rows) > 0.05),
            "tendencia": pd.Series(trend).where(rng.random(rows) > 0.2),
            "genero": rng.choice(["F", "M"], rows),
            "fecha": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, rows), "D"),
            "pago": np.where(rng.random(rows) < 1 / (1 + np.exp(-odds)), "paga", "no_paga"),
        }
    )
    texts = ("id_credito", "tipo", "tendencia", "genero", "pago")
    return frame.astype(dict.fromkeys(texts, "str"))


def settings(**changes: Any) -> dict[str, Any]:
    """Settings as a file would hold them; candidates given are added to the others."""
    candidates = SETTINGS["candidates"] | changes.pop("candidates", {})
    return SETTINGS | changes | {"candidates": candidates}


def untuned(asked: Problem) -> dict[str, dict[str, Any]]:
    """The parameters of every candidate as configured."""
    candidates = asked.settings.candidates
    return {name: {"params": dict(candidate.params)} for name, candidate in candidates.items()}


def problem(**changes: Any) -> Problem:
    """The problem of these loans, with settings changed."""
    return create_problem("binary", SCHEMA, TrainingSettings.model_validate(settings(**changes)))
