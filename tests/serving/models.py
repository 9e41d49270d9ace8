"""Small packages and a scorer of plain arithmetic: what the API is tested with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from clientela.features.columns import Column, InputField, build_columns
from clientela.models.stored_model import StoredModel, get_library_versions
from clientela.registry.manifest import Example, ServedManifest
from clientela.registry.package import (
    ModelPackage,
    PublishedModel,
    PublishedModelStore,
    build_package,
    open_package,
)
from clientela.registry.scorers import PredictionBatch
from clientela.storage import compute_sha256

# requirements of credit payment, section 11
TWELVE: dict[str, Any] = {
    "tipo_credito": 4,
    "capital_prestado": 2000000,
    "plazo_meses": 12,
    "edad_cliente": 35,
    "salario_cliente": 3000000,
    "total_otros_prestamos": 1000000,
    "cuota_pactada": 180000,
    "cant_creditosvigentes": 2,
    "huella_consulta": 3,
    "creditos_sectorFinanciero": 2,
    "creditos_sectorCooperativo": 0,
    "creditos_sectorReal": 1,
}
WHOLE = {
    "plazo_meses": (1, None),
    "edad_cliente": (0, 150),
    "cant_creditosvigentes": (0, None),
    "huella_consulta": (0, None),
    "creditos_sectorFinanciero": (0, None),
    "creditos_sectorCooperativo": (0, None),
    "creditos_sectorReal": (0, None),
}


def _field(name: str) -> InputField:
    if name == "tipo_credito":
        return InputField(name=name, kind="word", required=True, words=("10", "4", "6", "7", "9"))
    if name in WHOLE:
        least, most = WHOLE[name]
        return InputField(name=name, kind="integer", required=True, minimum=least, maximum=most)
    return InputField(name=name, kind="number", required=True, minimum=0, seen_maximum=1e9)


FIELDS = (
    *map(_field, TWELVE),
    InputField(name="puntaje_datacredito", kind="number", required=False, description="Del buró"),
    InputField(name="tendencia_ingresos", kind="word", required=False, words=("Creciente",)),
    InputField(
        name="fecha_prestamo",
        kind="moment",
        required=False,
        earliest="2000-01-01",
        latest="2035-12-31",
    ),
    InputField(name="saldo_mora", kind="number", required=False, read=False, minimum=0),
)
SEGMENT_FIELDS = (
    InputField(name="gasto_farmacia", kind="number", required=True, minimum=0),
    InputField(name="gasto_supermercado", kind="number", required=True, minimum=0),
)


class PlainScorer:
    """A probability from two columns by a formula that a test can repeat; `shift` moves it."""

    def __init__(self, served: ModelPackage) -> None:
        self.manifest = served.manifest
        self.shift = float(served.model.estimator.intercept_[0])

    def answers(self, columns: Mapping[str, Column]) -> PredictionBatch:
        names = [field.name for field in self.manifest.fields]
        rows = len(next(iter(columns.values())))
        imputed = np.column_stack(
            [
                _gaps(columns[field.name]) if field.read else np.zeros(rows, dtype=bool)
                for field in self.manifest.fields
            ]
        )
        unseen = np.zeros_like(imputed)
        if self.manifest.task == "segments":
            more = columns["gasto_farmacia"] > columns["gasto_supermercado"]
            codes = more.astype(int)
            ids = np.array([self.manifest.target[name] for name in self.manifest.classes])
            return PredictionBatch(codes, np.empty((len(codes), 0)), ids[codes], imputed, unseen)
        score = probability(columns["salario_cliente"], columns["cuota_pactada"], self.shift)
        both = np.column_stack([1 - score, score])
        unseen[:, names.index("salario_cliente")] = columns["salario_cliente"] > 1e9
        return PredictionBatch((score >= 0.5).astype(int), both, score, imputed, unseen)

    def reasons(self, columns: Mapping[str, Column], count: int) -> list[list[str]]:
        rows = len(next(iter(columns.values())))
        return [[] if self.manifest.task == "segments" else ["el salario"][:count]] * rows


def probability(salary: Any, instalment: Any, shift: float = 0.0) -> Any:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-(np.log1p(salary) - np.log1p(instalment) - 2 + shift)))


def _gaps(column: Column) -> Any:
    if column.dtype == object:
        return np.array([value is None for value in column])
    return np.isnat(column) if column.dtype.kind == "M" else np.isnan(column)


def packaged(
    use_case: str = "credit_payment", shift: float = 0.0, expected: float | None = None
) -> tuple[bytes, ServedManifest]:
    """A package; `expected` is a lie about its example."""
    estimator = LogisticRegression()
    estimator.classes_, estimator.intercept_ = np.array([0, 1]), np.array([shift])
    told_of_it = {"features": ["x"], "training_rows": 80, "versions": get_library_versions()}
    stored = StoredModel(estimator, told_of_it)
    segments = use_case == "customer_segments"
    told: dict[str, Any] = {
        "use_case": use_case,
        "role": "champion",
        "group": f"clientela-{use_case.replace('_', '-')}",
        "task": "segments" if segments else "binary",
        "problem_type": "CLUSTERING" if segments else "BINARY_CLASSIFICATION",
        "fields": SEGMENT_FIELDS if segments else FIELDS,
        "classes": ("Supermercado", "Farmacia") if segments else ("no_paga", "paga_a_tiempo"),
        "target": {"Supermercado": 3.0, "Farmacia": 7.0}
        if segments
        else {"no_paga": 0.0, "paga_a_tiempo": 1.0},
        "score_name": "cluster_id" if segments else "probabilidad",
        "grades": {} if segments else {"roc_auc": {"value": 0.7, "lower": 0.65, "upper": 0.75}},
        "primary_metric": None if segments else "roc_auc",
    }
    case = {"gasto_farmacia": 5.0, "gasto_supermercado": 1.0} if segments else TWELVE
    draft = {**told, "example": Example(case=case, label="", expected=0)}
    _, manifest = build_package(stored, draft)
    columns = build_columns([case], manifest.read)
    answers = PlainScorer(ModelPackage(manifest, stored)).answers(columns)
    truth = float(answers.expected[0]) if expected is None else expected
    label = manifest.classes[int(answers.codes[0])]
    return build_package(
        stored, {**told, "example": Example(case=case, label=label, expected=truth)}
    )


def served_model(use_case: str = "credit_payment", **how: Any) -> ModelPackage:
    return open_package(packaged(use_case, **how)[0], "a test's")


def publish(
    folder: Path, use_case: str = "credit_payment", number: int = 1, **how: Any
) -> ServedManifest:
    content, manifest = packaged(use_case, **how)
    return publish_bytes(folder, content, manifest, number)


def publish_bytes(
    folder: Path, content: bytes, manifest: ServedManifest, number: int = 1
) -> ServedManifest:
    pointer = PublishedModel(
        use_case=manifest.use_case,
        role=manifest.role,
        group=manifest.group,
        number=number,
        version=manifest.version,
        package=f"{manifest.use_case}-{manifest.role}-{manifest.version}.tar.gz",
        package_sha256=compute_sha256(content),
    )
    PublishedModelStore(str(folder)).publish(content, pointer)
    return manifest
