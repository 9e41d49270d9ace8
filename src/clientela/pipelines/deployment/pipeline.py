"""Deployment of one use case: from its stored models to entries of the registry, pending."""

from collections.abc import Callable, Mapping
from functools import partial

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline, get_cases_name
from clientela.pipelines.deployment import nodes
from clientela.registry.manifest import Role
from clientela.registry.package import NewPackage
from clientela.use_cases import UseCase

MODELS: dict[Role, str] = {"champion": "champion", "required": "required_model"}
"""Role to the dataset of its model."""

SEGMENTS: dict[Role, str] = {"champion": "segmentation"}
"""The same where customers are segmented."""

JUDGED = {"grades": "test_grades", "choice": "choice", "predictions": "test_predictions"}
"""How a model did on the test part: argument to dataset."""

SETTINGS = {"settings": "params:deployment"}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Stored models in; packages, and their entries in the model registry, out."""
    if use_case.task == "segments":
        packaging = _create_segment_package_nodes(use_case.name)
    elif use_case.kind == "table":
        packaging = _create_table_package_nodes(use_case)
    else:
        packaging = _create_customer_package_nodes(use_case.name)
    models = SEGMENTS if use_case.task == "segments" else MODELS
    return create_stage_pipeline(
        use_case, "deployment", [*packaging, *_create_registration_nodes([*models])]
    )


def _create_table_package_nodes(use_case: UseCase) -> list[Node]:
    given = {
        "account": "case_account",
        "example": "example_features",
        "params": "params:features",
        "scoring": "params:scoring",
        **JUDGED,
    }
    return [
        Node(
            nodes.compute_case_hours,
            inputs=[get_cases_name(use_case), "params:features"],
            outputs="case_dates",
            name="case_dates",
        ),
        Node(
            nodes.describe_case_inputs,
            inputs=[
                "training_part",
                "case_dates",
                "params:features",
                "params:ingestion",
                "params:scoring",
            ],
            outputs="case_account",
            name="case_account",
        ),
        Node(
            nodes.compute_example_features,
            inputs=["case_account", "params:features"],
            outputs="example_features",
            name="example_features",
        ),
        *_create_package_nodes(partial(nodes.make_table_packager, use_case.name), MODELS, given),
    ]


def _create_customer_package_nodes(name: str) -> list[Node]:
    given = {
        "train": "training_part",
        "schema": "feature_schema",
        "scoring": "params:scoring",
        **JUDGED,
    }
    return _create_package_nodes(partial(nodes.make_customer_packager, name), MODELS, given)


def _create_segment_package_nodes(name: str) -> list[Node]:
    given = {
        "customers": "clustering_input",
        "evaluation": "k_evaluation",
        "choice": "k_choice",
        "params": "params:segmentation",
    }
    return _create_package_nodes(partial(nodes.make_segment_packager, name), SEGMENTS, given)


def _create_package_nodes(
    package_of: Callable[[Role], Callable[..., NewPackage]],
    models: Mapping[Role, str],
    given: Mapping[str, str],
) -> list[Node]:
    """One node for each model: what packages it, from the model and what else is given."""
    return [
        Node(
            package_of(role),
            inputs={"model": model, **given, **SETTINGS},
            outputs=f"served_package_{role}",
            name=f"{role}_package",
        )
        for role, model in models.items()
    ]


def _create_registration_nodes(roles: list[Role]) -> list[Node]:
    return [
        Node(
            nodes.select_submissions,
            inputs={**SETTINGS, **{role: f"served_package_{role}" for role in roles}},
            outputs="registrations",
            name="registrations",
        ),
        Node(
            nodes.summarize_registrations,
            inputs="registrations",
            outputs="deployment_headline",
            name="deployment_headline",
        ),
    ]
