"""Ordinal target: from transactions past the cutoff to the model input."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.ordinal_target import nodes
from clientela.use_cases import UseCase

FEATURES, TARGET = "params:features", "params:target"
TARGET_INPUTS = ["transactions", "feature_period", FEATURES, TARGET]

# Function, inputs, and the output that the node is named after.
NODES: list[tuple[Callable[..., Any], list[str], str]] = [
    (nodes.compute_customer_target, TARGET_INPUTS, "customer_target"),
    (
        nodes.build_ordinal_model_input,
        ["customer_features", "customer_target", FEATURES],
        "model_input",
    ),
    (
        nodes.build_cutoff_rows,
        ["transactions", "customers", "cutoff_plan", FEATURES, TARGET],
        "cutoff_rows",
    ),
    (nodes.select_required_columns, ["model_input", FEATURES], "features_supervised"),
    (nodes.build_ordinal_feature_schema, [FEATURES, TARGET], "feature_schema"),
    (
        nodes.compare_class_shares,
        ["model_input", "cutoff_rows", "scoring_features", FEATURES, TARGET],
        "class_shares",
    ),
    (
        nodes.count_changed_features,
        ["customer_features", "scrambled_features"],
        "changed_features",
    ),
    (
        nodes.build_ordinal_leakage_report,
        ["changed_features", "model_input", FEATURES, TARGET, "params:leakage"],
        "leakage_report",
    ),
]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Transactions and features in; model input, its schema, shares and leakage report out."""
    chain = [Node(function, inputs, output, name=output) for function, inputs, output in NODES]
    return create_stage_pipeline(use_case, "ordinal_target", chain)
