"""Simulated loans and visitors: models of every kind learned from them, and requests about them.

The oracle is the batch pipeline: features of the table, scores by the fitted estimators.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml
from threadpoolctl import threadpool_limits

from clientela.features.case_table import case_features, model_input
from clientela.features.columns import InputField
from clientela.features.table_settings import TabularFeatureParams, feature_schema
from clientela.models.problem import Problem, create_problem
from clientela.models.scoring import predict_scores
from clientela.models.settings import ScoringSettings, TrainingSettings
from clientela.models.stored_model import StoredModel
from clientela.pipelines.data_generation.applications import (
    ApplicationSimulation,
    simulate_applications,
)
from clientela.pipelines.data_generation.churn import ChurnSimulation, simulate_visitors
from clientela.pipelines.data_generation.credit import CreditSimulation, simulate_loans
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate
from clientela.registry.manifest import ServedManifest
from clientela.registry.package import ModelPackage, build_package, open_package

CONF = Path(__file__).parents[2] / "conf" / "base" / "parameters"
LABELS = {"capital_prestado": "capital prestado", "edad_cliente": "edad"}

LOGGED = ["capital_prestado", "salario_cliente", "saldo_total"]
BOOSTED = {"n_estimators": 30, "max_depth": 3}

CANDIDATES: dict[str, Any] = {
    "todos": {"kind": "majority", "role": "rule", "decisions": ["half"]},
    "logistica": {
        "kind": "logistic_regression",
        "role": "required",
        "features": "required",
        "decisions": ["half"],
        "preprocessing": {"scaling": "standard"},
    },
    "logistica_ajustada": {
        "kind": "logistic_regression",
        "role": "challenger",
        "decisions": ["cost"],
        "preprocessing": {"scaling": "robust", "missing_indicator": True},
        "calibrate": "isotonic",
    },
    "puntos": {"kind": "woe_scorecard", "role": "challenger", "decisions": ["best_mcc"]},
    "bosque": {
        "kind": "random_forest",
        "role": "challenger",
        "decisions": ["half"],
        "params": {"n_estimators": 5, "max_depth": 6},
    },
    "xgboost": {
        "kind": "xgboost_classifier",
        "role": "required",
        "features": "required",
        "decisions": ["half"],
        "params": BOOSTED,
    },
    "xgboost_ajustado": {
        "kind": "xgboost_classifier",
        "role": "challenger",
        "decisions": ["best_cost", "cost"],
        "calibrate": "sigmoid",
        "preprocessing": {"scaling": "standard", "missing_indicator": True},
        "params": BOOSTED,
    },
    "histogramas": {
        "kind": "hist_gradient_boosting",
        "role": "challenger",
        "decisions": ["share"],
        "share": 0.2,
        "params": {"max_iter": 10, "max_depth": 3},
    },
}

ONLY_LOANS: dict[str, Any] = {
    "puntaje_alto": {
        "kind": "threshold_rule",
        "role": "rule",
        "params": {"column": "puntaje_datacredito", "limit": 700},
    },
    "logistica_de_logaritmos": CANDIDATES["logistica_ajustada"]
    | {"preprocessing": {"scaling": "standard", "logged": LOGGED}, "calibrate": "none"},
}

ONLY_VISITORS: dict[str, Any] = {
    "pocas_quejas": {
        "kind": "threshold_rule",
        "role": "rule",
        "params": {"column": "complaints", "limit": 6, "positive": "below"},
    },
}


ONLY_APPLICATIONS: dict[str, Any] = {
    "plazo_largo": {
        "kind": "threshold_rule",
        "role": "rule",
        "params": {"column": "Duration", "limit": 36},
    },
    "xgboost_con_peso": CANDIDATES["xgboost_ajustado"]
    | {"params": BOOSTED | {"scale_pos_weight": "balanced"}},
}


@dataclass(frozen=True)
class UseCase:
    """A use case on a table, with its sample and its candidates."""

    name: str
    params: TabularFeatureParams
    raw: pa.Table
    candidates: Mapping[str, Any]

    @cached_property
    def problem(self) -> Problem:
        settings = {
            "primary_metric": "roc_auc",
            "folds": 2,
            "inner_folds": 2,
            "workers": 1,
            "costs": {"false_positive": 10.0, "false_negative": 1.0},
            "candidates": self.candidates,
        }
        schema = feature_schema(self.params)
        return create_problem("binary", schema, TrainingSettings.model_validate(settings))

    @cached_property
    def learned_from(self) -> pd.DataFrame:
        """The model input."""
        return model_input(self.raw, self.params)

    @cached_property
    def requests(self) -> list[dict[str, Any]]:
        """The rows of the sample as people send them: plain values of JSON."""
        rows = self.raw.select(self.params.inputs).to_pylist()
        return [{name: _plain(value) for name, value in row.items()} for row in rows]

    @cached_property
    def fields(self) -> tuple[InputField, ...]:
        """One for each column that features are made of."""
        return tuple(self._field(name) for name in self.params.inputs)

    def _field(self, name: str) -> InputField:
        told: dict[str, Any] = {"name": name, "required": name in self.params.needed}
        column = self.learned_from.get(name)
        if name in self.params.numeric and column is not None:
            bounds = {"seen_minimum": column.min(), "seen_maximum": column.max()}
            return InputField(kind="number", **told, **bounds)
        if name in self.params.dates:
            return InputField(kind="moment", **told)
        words = tuple(sorted(set(column.dropna())))
        return InputField(
            kind="word", words=words, missing=self.params.get_word_rule(name).missing, **told
        )

    def fitted(self, candidate: str) -> StoredModel:
        contender = get_configured_candidate(candidate, self.problem)
        with threadpool_limits(1):  # small fits, which other threads only wait for
            return fit_model(self.learned_from, contender, self.problem)

    @cached_property
    def sample_features(self) -> pd.DataFrame:
        """What feature engineering makes of the sample."""
        return self.features(self.requests)

    def features(self, requests: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """What feature engineering makes of the requests, in their order."""
        keyed = [{self.params.key: f"{n:06}", **request} for n, request in enumerate(requests)]
        types = {name: self._type(name, requests) for name in self.params.inputs}
        schema = pa.schema({self.params.key: pa.string()} | types)
        return case_features(pa.Table.from_pylist(keyed, schema), self.params)

    def _type(self, name: str, requests: Sequence[Mapping[str, Any]]) -> pa.DataType:
        """Numbers as float64; other columns as their values are."""
        if name in self.params.numeric:
            return pa.float64()
        types = {type(request.get(name)) for request in requests} - {type(None)}
        return {int: pa.int64(), float: pa.float64()}.get(*types or {str}, pa.string())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def scores(model: StoredModel, features: pd.DataFrame, reasons: int = 0) -> pd.DataFrame:
    """What batch scoring says."""
    return predict_scores(model, features, ScoringSettings(reasons=reasons, labels=LABELS))


def served(
    model: StoredModel,
    fields: Sequence[InputField],
    params: TabularFeatureParams | None = None,
    **changes: Any,
) -> ModelPackage:
    """The model through its package, as a server opens it."""
    return open_package(packaged(model, fields, params, **changes)[0], "here")


def packaged(
    model: StoredModel,
    fields: Sequence[InputField],
    params: TabularFeatureParams | None = None,
    **changes: Any,
) -> tuple[bytes, ServedManifest]:
    """The model as a package."""
    names = model.manifest.get("classes", ())
    told = {
        "use_case": "prueba",
        "role": "champion",
        "group": "prueba",
        "task": model.manifest["task"],
        "problem_type": model.manifest["problem_type"],
        "fields": fields,
        "classes": names,
        "target": dict(zip(names, model.manifest.get("values", ()), strict=True)),
        "score_name": "puntaje",
        "example": {"case": {}, "label": "", "expected": 0.0},
        "labels": LABELS,
        "feature_rules": None if params is None else params.model_dump(mode="json"),
    }
    return build_package(model, told | changes)


def _configured(name: str) -> TabularFeatureParams:
    content = yaml.safe_load((CONF / f"{name}.yml").read_text("utf-8"))
    return TabularFeatureParams.model_validate(content[name]["features"])


def _loans() -> UseCase:
    (table,) = simulate_loans(CreditSimulation(rows=1200)).tables()
    keys = pa.array([f"{n:06}" for n in range(len(table))])
    return UseCase(
        "credit_payment",
        _configured("credit_payment"),
        table.append_column("id_fila", keys),
        CANDIDATES | ONLY_LOANS,
    )


def _visitors() -> UseCase:
    (table,) = simulate_visitors(ChurnSimulation(rows=800)).tables()
    return UseCase(
        "customer_churn", _configured("customer_churn"), table, CANDIDATES | ONLY_VISITORS
    )


def _applications() -> UseCase:
    (table,) = simulate_applications(ApplicationSimulation(rows=800, adjudicated=1)).tables()
    keys = pa.array([f"{n:06}" for n in range(len(table))])
    params = _configured("credit_preauth")
    # what people judged stands for the labels: which ones a model learned changes no arithmetic
    labelled = table.append_column(params.target.column, table["Risk"])
    return UseCase(
        "credit_preauth",
        params,
        labelled.append_column(params.key, keys),
        CANDIDATES | ONLY_APPLICATIONS,
    )


USE_CASES = {"loans": _loans, "visitors": _visitors, "applications": _applications}
EVERY_CANDIDATE = [
    *(("loans", name) for name in CANDIDATES | ONLY_LOANS),
    *(("visitors", name) for name in CANDIDATES | ONLY_VISITORS),
    *(("applications", name) for name in CANDIDATES | ONLY_APPLICATIONS),
]
