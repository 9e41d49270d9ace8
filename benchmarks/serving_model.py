"""Fits a model of simulated loans and writes it as both servers of the benchmark read it.

Called as `serving_model.py <folder> <candidate>`: the package with its pointer below `served/`, the
bare scikit-learn pipeline as `pipeline.joblib`, and the bodies of requests.
"""

import json
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pyarrow as pa
import yaml

from clientela.column_rules import IntakeRules
from clientela.features.case_table import model_input
from clientela.features.columns import build_columns
from clientela.features.table_settings import TabularFeatureParams, feature_schema
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.models.stored_model import StoredModel
from clientela.pipelines.data_generation.credit import CreditSimulation, simulate_loans
from clientela.pipelines.deployment.case_inputs import build_table_fields
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate
from clientela.registry.manifest import Example, describe_classifier
from clientela.registry.package import (
    ModelPackage,
    PublishedModel,
    PublishedModelStore,
    build_package,
    package_name,
)
from clientela.registry.scorers import build_scorer
from clientela.storage import compute_sha256

CONFIGURED = Path(__file__).parents[1] / "conf/base/parameters/credit_payment.yml"
USE_CASE = "credit_payment"
ROWS = 4_000
BATCH = 1_000


def main(folder: str, candidate: str) -> None:
    """Fit, and write.

    Args:
        folder: Where to.
        candidate: Of the shipped configuration.
    """
    configured = yaml.safe_load(CONFIGURED.read_text("utf-8"))[USE_CASE]
    params = TabularFeatureParams.model_validate(configured["features"])
    (loans,) = simulate_loans(CreditSimulation(rows=ROWS)).tables()
    loans = loans.append_column(params.key, pa.array([f"{n:06}" for n in range(len(loans))]))
    train = model_input(loans, params)
    model = fitted(train, params, configured["training"]["candidates"][candidate])
    cases = [case(row) for row in loans.select(params.inputs).slice(0, BATCH).to_pylist()]
    place = Path(folder)
    rules = IntakeRules.model_validate(configured["ingestion"])
    fields = build_table_fields(params, rules, train, {})
    published(place, model, fields, params, cases[0])
    joblib.dump(model.estimator.classifier_, place / "pipeline.joblib")
    for name, batch in (("one", cases[:1]), ("many", cases)):
        (place / f"{name}.json").write_text(json.dumps({"data": batch}, ensure_ascii=False))


def fitted(
    train: pd.DataFrame, params: TabularFeatureParams, candidate: dict[str, Any]
) -> StoredModel:
    """A shipped candidate, decided at one half."""
    # settings want one of each role; only the named one is fitted
    rule = {"kind": "majority", "decisions": ["half"]}
    candidates = {
        "rule": {**rule, "role": "rule"},
        "required": {**rule, "role": "required"},
        "candidate": candidate | {"decisions": ["half"]},
    }
    settings = TrainingSettings.model_validate(
        {"primary_metric": "roc_auc", "workers": 1, "candidates": candidates}
    )
    problem = create_problem("binary", feature_schema(params), settings)
    return fit_model(train, get_configured_candidate("candidate", problem), problem)


def published(
    place: Path, model: StoredModel, fields: Any, params: TabularFeatureParams, one: dict[str, Any]
) -> None:
    """The package, and the pointer that a server watches."""
    draft = Example(case=one, label="", expected=0.0)
    told = {
        **describe_classifier(model),
        "fields": fields,
        "example": draft,
        "use_case": USE_CASE,
        "role": "champion",
        "group": "clientela-benchmark",
        "problem_type": model.manifest["problem_type"],
        "feature_rules": params.model_dump(mode="json"),
    }
    _, manifest = build_package(model, told)
    said = build_scorer(ModelPackage(manifest, model)).answers(
        build_columns([one], manifest.fields)
    )
    label = manifest.classes[int(said.codes[0])]
    told["example"] = Example(case=one, label=label, expected=float(said.expected[0]))
    content, manifest = build_package(model, told)
    pointer = PublishedModel(
        use_case=USE_CASE,
        role="champion",
        group="clientela-benchmark",
        number=1,
        version=manifest.version,
        package=package_name(USE_CASE, "champion", manifest.version),
        package_sha256=compute_sha256(content),
    )
    PublishedModelStore(str(place / "served")).publish(content, pointer)


def case(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON carries it."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
