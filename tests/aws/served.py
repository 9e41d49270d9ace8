"""A manifest and an archive as a served model has them, small."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb

from clientela.features.columns import InputField
from clientela.registry.manifest import Example, ServedManifest
from clientela.registry.package import make_archive
from clientela.storage import compute_sha256

CASE = {"num_tx_total": 12.0, "recencia_dias": 3.0, "estrato_social": None}


def manifest(**changes: Any) -> ServedManifest:
    fields: dict[str, Any] = {
        "use_case": "purchase_intensity",
        "role": "required",
        "group": "xgboost-ordinal-tecnologia",
        "version": "0123456789ab",
        "task": "ordinal",
        "problem_type": "Regresión ordinal",
        "fields": tuple(InputField(name=name, kind="number", required=False) for name in CASE),
        "classes": ("sin_compra", "baja", "media", "alta"),
        "target": {"sin_compra": 0, "baja": 1, "media": 2, "alta": 4},
        "score_name": "valor_esperado",
        "example": Example(case=CASE, label="baja", expected=1.25),
        "model": {"features": list(CASE)},
        "files": {},
    }
    return ServedManifest.model_validate(fields | changes)


@dataclass(frozen=True)
class Archive:
    content: bytes
    for_case: float
    for_zeros: float

    @property
    def answer(self) -> bytes:
        """As the prebuilt container writes it, a little off in the last digits."""
        return f"{self.for_case + 1e-7}\n".encode()


def native_archive(columns: tuple[str, ...] = tuple(CASE), **changed: bytes) -> Archive:
    draw = np.random.default_rng(3)
    rows = draw.gamma(2.0, 5.0, (200, len(columns)))
    data = xgb.DMatrix(rows, label=rows[:, 0] / 10)
    booster = xgb.train({"max_depth": 2, "seed": 1}, data, num_boost_round=5)
    native = bytes(booster.save_raw("ubj"))
    files = {
        "xgboost-model": native,
        "code/features.json": json.dumps(list(columns)).encode(),
        "code/manifest.json": json.dumps({"native_model_sha256": compute_sha256(native)}).encode(),
    }
    case = [np.nan if value is None else value for value in CASE.values()]
    asked = [case if len(columns) == len(case) else [0.0] * len(columns), [0.0] * len(columns)]
    said = booster.predict(xgb.DMatrix(np.array(asked)))
    content = make_archive(
        files | {name.replace("__", "/"): each for name, each in changed.items()}
    )
    return Archive(content, float(said[0]), float(said[1]))
