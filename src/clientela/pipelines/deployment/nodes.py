"""Nodes of the deployment stage: what is packaged and registered, not how.

A package names its use case and role, which no dataset tells: a `ModelPackager` is made for each.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clientela.column_rules import CellFormat, IntakeRules
from clientela.exceptions import ConfigurationError
from clientela.features.case_table import case_features
from clientela.features.columns import InputField
from clientela.features.segment_columns import SegmentationParams
from clientela.features.table_settings import TabularFeatureParams, feature_schema
from clientela.models.problem import TASKS
from clientela.models.scoring import extract_predictions
from clientela.models.segment_model import get_identity
from clientela.models.segmentation import is_active
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import FeatureSchema
from clientela.pipelines.deployment.case_inputs import (
    build_number_fields,
    build_table_fields,
    build_typical_case,
    compute_typical_numbers,
    count_date_hours,
    format_example,
    make_case_table,
    select_model_fields,
)
from clientela.registry.manifest import (
    Role,
    build_class_example,
    build_metric_estimates,
    build_segment_example,
    build_segment_metrics,
    describe_classifier,
    describe_segmentation,
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

logger = logging.getLogger(__name__)

# Bootstrap samples behind the standard deviations that the SageMaker console draws: as many as
# training takes by default.
REPLICATES: Final = 1000


def compute_case_hours(cases: ir.Table, params: TabularFeatureParams) -> dict[str, ir.Table]:
    """When cases come: `hours`, see `count_date_hours`.

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
        `fields` (see `clientela.features.columns`), `text` (how the raw table writes its text) and
        `example` (field to value), as JSON.
    """
    fields = build_table_fields(params, intake, train, scoring.labels)
    rules = next(iter(intake.tables.values()))  # a use case on a table has one
    return {
        "fields": [field.model_dump(mode="json") for field in fields],
        "text": rules.cell_format.model_dump(mode="json"),
        "example": build_typical_case(fields, train, dates["hours"], params),
    }


def compute_example_features(account: dict[str, Any], params: TabularFeatureParams) -> pd.DataFrame:
    """One row: the features of the typical case, made as those of any other one."""
    return case_features(
        make_case_table(account["example"], _parse_input_fields(account), params.key), params
    )


@dataclass(frozen=True)
class ModelPackager:
    """Packages one model of a use case: one method for each kind of use case."""

    use_case: str
    role: Role

    def package_table_model(  # noqa: PLR0913, PLR0917 - a package tells everything of its model
        self,
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
        """The package of a model on the rows of a table.

        Args:
            account: See `describe_case_inputs`.
            example: See `compute_example_features`.
            grades: Measures on the test part, by role.
            predictions: On the test part (PII).
        """
        sources, fields = feature_schema(params)["sources"], _parse_input_fields(account)
        form = CellFormat.model_validate(account["text"])
        case = format_example(account["example"], fields, form)
        description = {
            "fields": select_model_fields(fields, model.features, sources),
            "text": form,
            "example": build_class_example(model, case, example),
            "labels": scoring.labels,
            "feature_rules": params.model_dump(mode="json"),
        }
        return self._package_classifier(model, description, grades, choice, predictions, settings)

    def package_customer_model(  # noqa: PLR0913, PLR0917 - likewise
        self,
        model: StoredModel,
        train: pd.DataFrame,
        schema: dict[str, Any],
        grades: dict[str, Any],
        choice: dict[str, Any],
        predictions: pd.DataFrame,
        scoring: ScoringSettings,
        settings: DeploymentSettings,
    ) -> NewPackage:
        """The package of a model on customers' features before a cutoff.

        Args:
            train: One row per customer that training learned from (PII).
            schema: See `clientela.models.training_data.FeatureSchema`.
            grades: Measures on the test part, by role.
            predictions: On the test part (PII).
        """
        features = FeatureSchema.model_validate(schema).features("all")
        others = [name for name in features if name not in model.features]
        fields = build_number_fields(model.features, train, scoring.labels, others)
        case = compute_typical_numbers(fields, train)
        description = {
            "fields": fields,
            "example": build_class_example(model, case, pd.DataFrame([case])),
            "labels": scoring.labels,
        }
        return self._package_classifier(model, description, grades, choice, predictions, settings)

    def package_segments(  # noqa: PLR0913, PLR0917 - likewise
        self,
        model: StoredModel,
        customers: pd.DataFrame,
        evaluation: pd.DataFrame,
        choice: dict[str, Any],
        params: SegmentationParams,
        settings: DeploymentSettings,
    ) -> NewPackage:
        """The package of a segmentation.

        Args:
            customers: One row per customer with the features of segments (PII).
            evaluation: One row per number of segments that was compared.
        """
        placed = customers[is_active(customers, params.clustering)]
        names = dict.fromkeys([*get_identity(model).columns, "num_tx"])
        fields = build_number_fields(names, placed, {})
        case = compute_typical_numbers(fields, placed)
        description = {
            **describe_segmentation(model),
            "fields": fields,
            "example": build_segment_example(model, case, params),
            "grades": build_segment_metrics(evaluation, choice),
            "segment_rules": params.model_dump(mode="json"),
        }
        return self._package(model, description, settings)

    def _package_classifier(  # noqa: PLR0913, PLR0917 - likewise
        self,
        model: StoredModel,
        description: Mapping[str, Any],
        grades: Mapping[str, Any],
        choice: Mapping[str, Any],
        predictions: pd.DataFrame,
        settings: DeploymentSettings,
    ) -> NewPackage:
        manifest = model.manifest
        truth, predicted = extract_predictions(predictions, self.role, manifest["classes"])
        console_metrics = TASKS[manifest["task"]].console_metrics(
            truth,
            predicted,
            np.asarray(manifest["values"], dtype=np.float64),
            replicates=REPLICATES,
            seed=manifest["seed"],
        )
        graded = {
            **describe_classifier(model),
            **description,
            "grades": build_metric_estimates(self.role, grades, choice),
        }
        return self._package(model, graded, settings, console_metrics)

    def _package(
        self,
        model: StoredModel,
        description: Mapping[str, Any],
        settings: DeploymentSettings,
        console_metrics: Mapping[str, Any] | None = None,
    ) -> NewPackage:
        identity = {
            "use_case": self.use_case,
            "role": self.role,
            "group": settings.group(self.use_case, description["task"], self.role),
            "problem_type": model.manifest["problem_type"],
        }
        content, manifest = build_package(model, {**identity, **description})
        is_native = self.role == "required" and is_native_xgboost(model)
        prebuilt = build_archive_files(model) if is_native else None
        return NewPackage(manifest, content, prebuilt, console_metrics)


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
