"""Deployment of one use case: from its stored models to entries of the registry, pending."""

from collections.abc import Callable, Mapping
from functools import partial

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.inference.manifest import Role
from clientela.pipelines.assembly import cases_of, pipeline_of
from clientela.pipelines.deployment import nodes
from clientela.registry.packages import NewPackage

MODELS: dict[Role, str] = {"champion": "champion", "required": "required_model"}
"""Role to the dataset of its model."""

SEGMENTS: dict[Role, str] = {"champion": "segmentation"}
"""The same where customers are segmented."""

JUDGED = {"grades": "test_grades", "choice": "choice", "predictions": "test_predictions"}
"""How a model did on the test part: argument to dataset."""

SETTINGS = {"settings": "params:deployment"}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Stored models in; packages, and their entries in the model registry, out.

    Args:
        use_case: Whose.

    Returns:
        The stage for this use case.
    """
    if use_case.task == "segments":
        packaging = _of_segments(use_case.name)
    elif use_case.kind == "table":
        packaging = _of_table(use_case)
    else:
        packaging = _of_customers(use_case.name)
    models = SEGMENTS if use_case.task == "segments" else MODELS
    return pipeline_of(use_case, "deployment", [*packaging, *_registering([*models])])


def _of_table(use_case: UseCase) -> list[Node]:
    given = {
        "account": "case_account",
        "example": "example_features",
        "params": "params:features",
        "scoring": "params:scoring",
        **JUDGED,
    }
    return [
        Node(
            nodes.case_dates,
            inputs=[cases_of(use_case), "params:features"],
            outputs="case_dates",
            name="case_dates",
        ),
        Node(
            nodes.case_account,
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
            nodes.example_features,
            inputs=["case_account", "params:features"],
            outputs="example_features",
            name="example_features",
        ),
        *_packages(partial(nodes.package_of_table, use_case.name), MODELS, given),
    ]


def _of_customers(name: str) -> list[Node]:
    given = {
        "train": "training_part",
        "schema": "feature_schema",
        "scoring": "params:scoring",
        **JUDGED,
    }
    return _packages(partial(nodes.package_of_customers, name), MODELS, given)


def _of_segments(name: str) -> list[Node]:
    given = {
        "customers": "clustering_input",
        "evaluation": "k_evaluation",
        "choice": "k_choice",
        "params": "params:segmentation",
    }
    return _packages(partial(nodes.package_of_segments, name), SEGMENTS, given)


def _packages(
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


def _registering(roles: list[Role]) -> list[Node]:
    return [
        Node(
            nodes.submissions,
            inputs={**SETTINGS, **{role: f"served_package_{role}" for role in roles}},
            outputs="registrations",
            name="registrations",
        ),
        Node(
            nodes.headline,
            inputs="registrations",
            outputs="deployment_headline",
            name="deployment_headline",
        ),
    ]
