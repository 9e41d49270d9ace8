"""Ordinal target: from transactions past the cutoff to the model input."""

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.ordinal_target import nodes
from clientela.use_cases import UseCase

TARGET_INPUTS = ["transactions", "feature_period", "params:features", "params:target"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Transactions and features in; model input, its schema, shares and leakage report out.

    Args:
        use_case: A use case on transactions with an ordinal task.
    """
    return create_stage_pipeline(
        use_case,
        "ordinal_target",
        _create_target_nodes() + _create_model_input_nodes() + _create_report_nodes(),
    )


def _create_target_nodes() -> list[Node]:
    return [
        Node(
            nodes.compute_customer_target, TARGET_INPUTS, "customer_target", name="customer_target"
        ),
        Node(
            nodes.compute_target_other_cutoff,
            TARGET_INPUTS,
            "customer_target_other_cutoff",
            name="customer_target_other_cutoff",
        ),
    ]


def _create_model_input_nodes() -> list[Node]:
    return [
        Node(
            nodes.build_ordinal_model_input,
            ["customer_features", "customer_target", "params:features"],
            "model_input",
            name="model_input",
        ),
        Node(
            nodes.build_ordinal_model_input,
            ["customer_features_other_cutoff", "customer_target_other_cutoff", "params:features"],
            "model_input_other_cutoff",
            name="model_input_other_cutoff",
        ),
        Node(
            nodes.select_required_columns,
            ["model_input", "params:features"],
            "features_supervised",
            name="features_supervised",
        ),
        Node(
            nodes.build_ordinal_feature_schema,
            ["params:features", "params:target"],
            "feature_schema",
            name="feature_schema",
        ),
    ]


def _create_report_nodes() -> list[Node]:
    return [
        Node(
            nodes.compare_class_shares,
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
            nodes.count_changed_features,
            ["customer_features", "scrambled_features"],
            "changed_features",
            name="changed_features",
        ),
        Node(
            nodes.build_ordinal_leakage_report,
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
