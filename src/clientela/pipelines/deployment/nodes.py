"""What a registry shows beside a model: its measures on the test part."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clientela.column_rules import IntakeRules
from clientela.exceptions import ConfigurationError
from clientela.features.case_table import case_features
from clientela.features.columns import InputField
from clientela.features.segment_settings import SegmentationParams
from clientela.features.table_schema import feature_schema
from clientela.features.table_settings import TabularFeatureParams
from clientela.models.evaluation import extract_predictions
from clientela.models.problem import TASKS
from clientela.models.segment_model import get_identity
from clientela.models.segmentation import is_active
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import FeatureSchema
from clientela.registry.example_input import (
    build_typical_case,
    compute_typical_numbers,
    count_date_hours,
    make_case_table,
)
from clientela.registry.manifest import (
    Role,
    build_class_example,
    build_metric_estimates,
    build_number_fields,
    build_segment_example,
    build_segment_metrics,
    build_table_fields,
    describe_classifier,
    describe_segmentation,
    select_model_fields,
)
from clientela.registry.model_registry import (
    DeploymentSettings,
    RegisteredModel,
    Submission,
    describe_registration,
)
from clientela.registry.package import (
    NewPackage,
    StoredPackage,
    build_archive_files,
    build_package,
    is_native_xgboost,
)

# What a registry shows beside a model: its measures on the test part.


REPLICATES: Final = 1000
"""Bootstrap samples behind the standard deviations: as many as training takes by default."""


def compute_registry_metrics(
    predictions: pd.DataFrame, name: str, model: StoredModel
) -> dict[str, Any]:
    """The measures of a model in the form that the SageMaker console draws."""
    manifest = model.manifest
    truth, said = extract_predictions(predictions, name, manifest["classes"])
    return TASKS[manifest["task"]].console_metrics(
        truth,
        said,
        np.asarray(manifest["values"], dtype=np.float64),
        replicates=REPLICATES,
        seed=manifest["seed"],
    )


# Nodes of the deployment stage: what is packaged and registered, not how.
#
# A package names its use case, which no dataset tells: the nodes that make packages are made for one
# use case and role.


logger = logging.getLogger(__name__)


def compute_case_hours(cases: ir.Table, params: TabularFeatureParams) -> dict[str, ir.Table]:
    """When cases come: `hours`, see `clientela.registry.example_input.count_date_hours`.

    Args:
        cases: One row per case (PII), as ingested.
    """
    return {"hours": count_date_hours(cases, params)}


def describe_case_inputs(
    train: pd.DataFrame,
    dates: Mapping[str, pd.DataFrame],
    params: TabularFeatureParams,
    intake: IntakeRules,
    scoring: ScoringSettings,
) -> dict[str, Any]:
    """What a case brings, and a made-up typical one.

    Returns:
        `fields` (see `clientela.features.columns`) and `example` (field to value), as JSON.
    """
    fields = build_table_fields(params, intake, train, scoring.labels)
    return {
        "fields": [field.model_dump(mode="json") for field in fields],
        "example": build_typical_case(fields, train, dates["hours"], params),
    }


def compute_example_features(account: dict[str, Any], params: TabularFeatureParams) -> pd.DataFrame:
    """One row: the features of the typical case, made as those of any other one."""
    return case_features(
        make_case_table(account["example"], _parse_input_fields(account), params.key), params
    )


def make_table_packager(use_case: str, role: Role) -> Callable[..., NewPackage]:
    """The node that packages one model of a use case on a table."""

    def package_of(  # noqa: PLR0913, PLR0917 - a package tells everything of its model
        model: StoredModel,
        account: dict[str, Any],
        example: pd.DataFrame,
        grades: dict[str, Any],
        choice: dict[str, Any],
        predictions: pd.DataFrame,
        params: TabularFeatureParams,
        scoring: ScoringSettings,
        settings: DeploymentSettings,
    ) -> NewPackage:
        sources = feature_schema(params)["sources"]
        fields = select_model_fields(_parse_input_fields(account), model.features, sources)
        told = {
            **describe_classifier(model),
            "fields": fields,
            "example": build_class_example(model, account["example"], example),
            "grades": build_metric_estimates(role, grades, choice),
            "labels": scoring.labels,
            "feature_rules": params.model_dump(mode="json"),
        }
        metrics = compute_registry_metrics(predictions, role, model)
        return _create_new_package(model, use_case, role, told, settings, metrics)

    return package_of


def make_customer_packager(use_case: str, role: Role) -> Callable[..., NewPackage]:
    """The node that packages one model of customers' features before a cutoff."""

    def package_of(  # noqa: PLR0913, PLR0917 - a package tells everything of its model
        model: StoredModel,
        train: pd.DataFrame,
        schema: dict[str, Any],
        grades: dict[str, Any],
        choice: dict[str, Any],
        predictions: pd.DataFrame,
        scoring: ScoringSettings,
        settings: DeploymentSettings,
    ) -> NewPackage:
        known = FeatureSchema.model_validate(schema).features("all")
        others = [name for name in known if name not in model.features]
        fields = build_number_fields(model.features, train, scoring.labels, others)
        case = compute_typical_numbers(fields, train)
        told = {
            **describe_classifier(model),
            "fields": fields,
            "example": build_class_example(model, case, pd.DataFrame([case])),
            "grades": build_metric_estimates(role, grades, choice),
            "labels": scoring.labels,
        }
        metrics = compute_registry_metrics(predictions, role, model)
        return _create_new_package(model, use_case, role, told, settings, metrics)

    return package_of


def make_segment_packager(use_case: str, role: Role) -> Callable[..., NewPackage]:
    """The node that packages segments."""

    def package_of(  # noqa: PLR0913, PLR0917 - a package tells everything of its model
        model: StoredModel,
        customers: pd.DataFrame,
        evaluation: pd.DataFrame,
        choice: dict[str, Any],
        params: SegmentationParams,
        settings: DeploymentSettings,
    ) -> NewPackage:
        placed = customers[is_active(customers, params.clustering)]
        names = dict.fromkeys([*get_identity(model).columns, "num_tx"])
        fields = build_number_fields(names, placed, {})
        told = {
            **describe_segmentation(model),
            "fields": fields,
            "example": build_segment_example(
                model, compute_typical_numbers(fields, placed), params
            ),
            "grades": build_segment_metrics(evaluation, choice),
            "segment_rules": params.model_dump(mode="json"),
        }
        return _create_new_package(model, use_case, role, told, settings, None)

    return package_of


def select_submissions(
    settings: DeploymentSettings, **packages: StoredPackage
) -> dict[str, Submission]:
    """What is registered: role to a model on its way into the registry.

    Raises:
        ConfigurationError: None of the packaged models is to be registered.
    """
    task = next(iter(packages.values())).manifest.task
    roles = settings.list_roles(task)
    if not roles:
        raise ConfigurationError(
            f"deployment.roles is {list(settings.roles)}, but {task} have these models only: "
            f"{', '.join(packages)}. Name one of them, or remove deployment.roles."
        )
    return {role: packages[role].submission for role in roles}


def summarize_registrations(entries: dict[str, RegisteredModel]) -> dict[str, Any]:
    """What was registered, and how it is approved, in one sentence; and the entries as JSON."""
    sentence = describe_registration(entries)
    logger.info("%s", sentence)
    return {
        "sentence": sentence,
        "entries": {role: entry.record() for role, entry in entries.items()},
    }


def _parse_input_fields(account: Mapping[str, Any]) -> list[InputField]:
    return [InputField.model_validate(field) for field in account["fields"]]


def _create_new_package(  # noqa: PLR0913, PLR0917 - one call for each kind of model
    model: StoredModel,
    use_case: str,
    role: Role,
    told: Mapping[str, Any],
    settings: DeploymentSettings,
    metrics: Mapping[str, Any] | None,
) -> NewPackage:
    group = settings.group(use_case, told["task"], role)
    problem_type = model.manifest["problem_type"]
    named = {"use_case": use_case, "role": role, "group": group, "problem_type": problem_type}
    content, manifest = build_package(model, {**named, **told})
    native = role == "required" and is_native_xgboost(model)
    return NewPackage(manifest, content, build_archive_files(model) if native else None, metrics)
