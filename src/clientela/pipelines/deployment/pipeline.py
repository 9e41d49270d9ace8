"""Deployment of one use case: from its stored models to entries of the registry, pending."""

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline, get_cases_name
from clientela.pipelines.deployment import nodes
from clientela.registry.manifest import Role
from clientela.use_cases import UseCase

# Role to the dataset of its model.
MODELS: dict[Role, str] = {"champion": "champion", "required": "required_model"}

# The same where customers are segmented.
SEGMENTS: dict[Role, str] = {"champion": "segmentation"}

SETTINGS = {"settings": "params:deployment"}

# How a model did on the test part: argument to dataset.
HOLDOUT_RESULTS = {"grades": "test_grades", "choice": "choice", "predictions": "test_predictions"}

# what a package tells of its model, by kind of use case: argument to dataset
TABLE_INPUTS = {
    "account": "case_account",
    "example": "example_features",
    "params": "params:features",
    "scoring": "params:scoring",
    **HOLDOUT_RESULTS,
}
CUSTOMER_INPUTS = {"schema": "feature_schema", "scoring": "params:scoring"}

# The two models on customers learn from rows of their own, and have a test each.
CUSTOMER_ROWS: dict[Role, dict[str, str]] = {
    "champion": {"train": "learning_part", **HOLDOUT_RESULTS},
    "required": {
        "train": "training_part",
        "grades": "required_grades",
        "choice": "required_choice",
        "predictions": "required_predictions",
    },
}
SEGMENT_INPUTS = {
    "customers": "clustering_input",
    "evaluation": "k_evaluation",
    "choice": "k_choice",
    "params": "params:segmentation",
}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Stored models in; packages, and their entries in the model registry, out."""
    models, examples = MODELS, []
    own: dict[Role, dict[str, str]] = {}
    if use_case.task == "segments":
        models, method, inputs = SEGMENTS, "package_segments", SEGMENT_INPUTS
    elif use_case.kind == "table":
        examples = _create_example_nodes(use_case)
        method, inputs = "package_table_model", TABLE_INPUTS
    else:
        method, inputs, own = "package_customer_model", CUSTOMER_INPUTS, CUSTOMER_ROWS
    packages = {str(role): f"served_package_{role}" for role in models}
    packaging = [
        Node(
            getattr(nodes.ModelPackager(use_case.name, role), method),
            inputs={"model": model, **inputs, **own.get(role, {}), **SETTINGS},
            outputs=packages[role],
            name=f"{role}_package",
        )
        for role, model in models.items()
    ]
    registration = [
        Node(
            nodes.select_submissions,
            inputs={**SETTINGS, **packages},
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
    return create_stage_pipeline(use_case, "deployment", [*examples, *packaging, *registration])


def _create_example_nodes(use_case: UseCase) -> list[Node]:
    """A made-up case of a table, and its features."""
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
    ]
