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

import ibis
import joblib
import pandas as pd
import pyarrow as pa
import yaml

from clientela.inference.asked import table_fields
from clientela.inference.columns import columns_of
from clientela.inference.manifest import Example
from clientela.inference.package import ServedModel, package
from clientela.inference.scorers import scorer_of
from clientela.inference.told import told_of_classes
from clientela.intake.rules import IntakeRules
from clientela.modelling.problem import problem_of
from clientela.modelling.selection.fitting import configured_contender, fitted_model
from clientela.modelling.settings import TrainingSettings
from clientela.modelling.storage.stored_model import StoredModel, sha256_of
from clientela.registry.served import Served, ServedStore, package_name
from clientela.simulation.credit.parameters import CreditSimulation
from clientela.simulation.credit.tables import simulated_loans
from clientela.tabular.features import model_input
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.schema import feature_schema

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
    (loans,) = simulated_loans(CreditSimulation(rows=ROWS)).tables()
    loans = loans.append_column(params.key, pa.array([f"{n:06}" for n in range(len(loans))]))
    made = model_input(ibis.memtable(loans), params).order_by(params.key)
    train = ibis.duckdb.connect().to_pandas(made)
    model = fitted(train, params, configured["training"]["candidates"][candidate])
    cases = [case(row) for row in loans.select(params.inputs).slice(0, BATCH).to_pylist()]
    place = Path(folder)
    rules = IntakeRules.model_validate(configured["ingestion"])
    fields = table_fields(params, rules, train, {})
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
    problem = problem_of("binary", feature_schema(params), settings)
    return fitted_model(train, configured_contender("candidate", problem), problem)


def published(
    place: Path, model: StoredModel, fields: Any, params: TabularFeatureParams, one: dict[str, Any]
) -> None:
    """The package, and the pointer that a server watches."""
    draft = Example(case=one, label="", expected=0.0)
    told = {
        **told_of_classes(model),
        "fields": fields,
        "example": draft,
        "use_case": USE_CASE,
        "role": "champion",
        "group": "clientela-benchmark",
        "problem_type": model.manifest["problem_type"],
        "feature_rules": params.model_dump(mode="json"),
    }
    _, manifest = package(model, told)
    said = scorer_of(ServedModel(manifest, model)).answers(columns_of([one], manifest.fields))
    label = manifest.classes[int(said.codes[0])]
    told["example"] = Example(case=one, label=label, expected=float(said.expected[0]))
    content, manifest = package(model, told)
    pointer = Served(
        use_case=USE_CASE,
        role="champion",
        group="clientela-benchmark",
        number=1,
        version=manifest.version,
        package=package_name(USE_CASE, "champion", manifest.version),
        package_sha256=sha256_of(content),
    )
    ServedStore(str(place / "served")).publish(content, pointer)


def case(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON carries it."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
