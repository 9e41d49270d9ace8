"""Nodes of the deployment stage: what is packaged and registered, not how.

A package names its use case, which no dataset tells: the nodes that make packages are made for one
use case and role.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.inference.asked import fields_of_model, number_fields, table_fields
from clientela.inference.fields import InputField
from clientela.inference.manifest import Role
from clientela.inference.package import package
from clientela.inference.told import (
    class_example,
    grades_of,
    segment_example,
    segment_grades,
    told_of_classes,
    told_of_segments,
)
from clientela.inference.typical import date_hours, one_case, typical_case, typical_numbers
from clientela.intake.rules import IntakeRules
from clientela.modelling.schema import FeatureSchema
from clientela.modelling.settings import ScoringSettings
from clientela.modelling.storage.packaging import archive_files, is_native
from clientela.modelling.storage.registered_metrics import registered_metrics
from clientela.modelling.storage.stored_model import StoredModel
from clientela.registry.base import RegisteredModel, Submission
from clientela.registry.packages import NewPackage, StoredPackage
from clientela.registry.settings import DeploymentSettings
from clientela.registry.wording import registered_sentence
from clientela.segments.assignment import is_active
from clientela.segments.params import SegmentationParams
from clientela.segments.stored import identity_of
from clientela.tabular.features import case_features
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.schema import feature_schema

logger = logging.getLogger(__name__)


def case_dates(cases: ir.Table, params: TabularFeatureParams) -> dict[str, ir.Table]:
    """When cases come: `hours`, see `clientela.inference.typical.date_hours`.

    Args:
        cases: One row per case (PII), as ingested.
        params: Columns and rules.
    """
    return {"hours": date_hours(cases, params)}


def case_account(
    train: pd.DataFrame,
    dates: Mapping[str, pd.DataFrame],
    params: TabularFeatureParams,
    intake: IntakeRules,
    scoring: ScoringSettings,
) -> dict[str, Any]:
    """What a case brings, and a made-up typical one.

    Args:
        train: Training part (PII).
        dates: See `case_dates`.
        params: Columns and rules.
        intake: Rules of ingestion.
        scoring: Words for people.

    Returns:
        `fields` (see `clientela.inference.fields`) and `example` (field to value), as JSON.
    """
    fields = table_fields(params, intake, train, scoring.labels)
    return {
        "fields": [field.model_dump(mode="json") for field in fields],
        "example": typical_case(fields, train, dates["hours"], params),
    }


def example_features(account: dict[str, Any], params: TabularFeatureParams) -> ir.Table:
    """One row: the features of the typical case, made as those of any other one."""
    return case_features(one_case(account["example"], _fields(account), params.key), params)


def package_of_table(use_case: str, role: Role) -> Callable[..., NewPackage]:
    """The node that packages one model of a use case on a table.

    Args:
        use_case: Whose model.
        role: Which of its models.

    Returns:
        The node's function.
    """

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
        fields = fields_of_model(_fields(account), model.features, sources)
        told = {
            **told_of_classes(model),
            "fields": fields,
            "example": class_example(model, account["example"], example),
            "grades": grades_of(role, grades, choice),
            "labels": scoring.labels,
            "feature_rules": params.model_dump(mode="json"),
        }
        metrics = registered_metrics(predictions, role, model)
        return _new(model, use_case, role, told, settings, metrics)

    return package_of


def package_of_customers(use_case: str, role: Role) -> Callable[..., NewPackage]:
    """The node that packages one model of customers' features before a cutoff.

    Args:
        use_case: Whose model.
        role: Which of its models.

    Returns:
        The node's function.
    """

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
        fields = number_fields(model.features, train, scoring.labels, others)
        case = typical_numbers(fields, train)
        told = {
            **told_of_classes(model),
            "fields": fields,
            "example": class_example(model, case, pd.DataFrame([case])),
            "grades": grades_of(role, grades, choice),
            "labels": scoring.labels,
        }
        metrics = registered_metrics(predictions, role, model)
        return _new(model, use_case, role, told, settings, metrics)

    return package_of


def package_of_segments(use_case: str, role: Role) -> Callable[..., NewPackage]:
    """The node that packages segments.

    Args:
        use_case: Whose model.
        role: Which of its models.

    Returns:
        The node's function.
    """

    def package_of(  # noqa: PLR0913, PLR0917 - a package tells everything of its model
        model: StoredModel,
        customers: pd.DataFrame,
        evaluation: pd.DataFrame,
        choice: dict[str, Any],
        params: SegmentationParams,
        settings: DeploymentSettings,
    ) -> NewPackage:
        placed = customers[is_active(customers, params.clustering)]
        names = dict.fromkeys([*identity_of(model).columns, "num_tx"])
        fields = number_fields(names, placed, {})
        told = {
            **told_of_segments(model),
            "fields": fields,
            "example": segment_example(model, typical_numbers(fields, placed), params),
            "grades": segment_grades(evaluation, choice),
            "segment_rules": params.model_dump(mode="json"),
        }
        return _new(model, use_case, role, told, settings, None)

    return package_of


def submissions(settings: DeploymentSettings, **packages: StoredPackage) -> dict[str, Submission]:
    """What is registered: role to a model on its way into the registry.

    Args:
        settings: Which roles.
        packages: Role to its stored package.

    Raises:
        ConfigurationError: None of the packaged models is to be registered.
    """
    task = next(iter(packages.values())).manifest.task
    roles = settings.registered(task)
    if not roles:
        raise ConfigurationError(
            f"deployment.roles is {list(settings.roles)}, but {task} have these models only: "
            f"{', '.join(packages)}. Name one of them, or remove deployment.roles."
        )
    return {role: packages[role].submission for role in roles}


def headline(entries: dict[str, RegisteredModel]) -> dict[str, Any]:
    """What was registered, and how it is approved, in one sentence; and the entries as JSON.

    Args:
        entries: Role to its entry.
    """
    sentence = registered_sentence(entries)
    logger.info("%s", sentence)
    return {
        "sentence": sentence,
        "entries": {role: entry.record() for role, entry in entries.items()},
    }


def _fields(account: Mapping[str, Any]) -> list[InputField]:
    return [InputField.model_validate(field) for field in account["fields"]]


def _new(  # noqa: PLR0913, PLR0917 - one call for each kind of model
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
    content, manifest = package(model, {**named, **told})
    native = role == "required" and is_native(model)
    return NewPackage(manifest, content, archive_files(model) if native else None, metrics)
