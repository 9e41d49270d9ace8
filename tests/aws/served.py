"""A manifest as a package of a served model has it, small."""

from typing import Any

from clientela.inference.fields import InputField
from clientela.inference.manifest import Example, ServedManifest

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
