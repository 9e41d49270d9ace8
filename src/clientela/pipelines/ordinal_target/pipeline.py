"""Ordinal target: from transactions past the cutoff to the model input."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.ordinal_target import nodes

TARGET_INPUTS = ["transactions", "feature_period", "params:features", "params:target"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Transactions and features in; model input, its schema, shares and leakage report out.

    Args:
        use_case: A use case on transactions with an ordinal task.

    Returns:
        The stage for this use case.
    """
    return pipeline_of(use_case, "ordinal_target", _targets() + _model_inputs() + _reports())


def _targets() -> list[Node]:
    return [
        Node(nodes.customer_target, TARGET_INPUTS, "customer_target", name="customer_target"),
        Node(
            nodes.customer_target_other_cutoff,
            TARGET_INPUTS,
            "customer_target_other_cutoff",
            name="customer_target_other_cutoff",
        ),
    ]


def _model_inputs() -> list[Node]:
    return [
        Node(
            nodes.model_input,
            ["customer_features", "customer_target", "params:features"],
            "model_input",
            name="model_input",
        ),
        Node(
            nodes.model_input,
            ["customer_features_other_cutoff", "customer_target_other_cutoff", "params:features"],
            "model_input_other_cutoff",
            name="model_input_other_cutoff",
        ),
        Node(
            nodes.features_supervised,
            ["model_input", "params:features"],
            "features_supervised",
            name="features_supervised",
        ),
        Node(
            nodes.feature_schema,
            ["params:features", "params:target"],
            "feature_schema",
            name="feature_schema",
        ),
    ]


def _reports() -> list[Node]:
    return [
        Node(
            nodes.class_shares,
            [
                "model_input",
                "model_input_other_cutoff",
                "scoring_features",
                "params:features",
                "params:target",
            ],
            "class_shares",
            name="class_shares",
        ),
        Node(
            nodes.changed_features,
            ["customer_features", "scrambled_features"],
            "changed_features",
            name="changed_features",
        ),
        Node(
            nodes.leakage_report,
            [
                "changed_features",
                "model_input",
                "params:features",
                "params:target",
                "params:leakage",
            ],
            "leakage_report",
            name="leakage_report",
        ),
    ]
