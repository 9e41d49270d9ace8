"""Segmentation of one use case: from customer features to segments, their names, and a report."""

from collections.abc import Callable
from typing import Any, TypeAlias

from kedro.pipeline import Node, Pipeline

from clientela.models.segment_model import account_for_customers, measure_soft_membership
from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.segmentation import nodes
from clientela.use_cases import UseCase

PARAMS = "params:segmentation"
EARLIER = ["previous_identities", "previous_exports"]
PLOTS = ("elbow", "silhouette", "projection", "scores", "migration", "sizes")
# Inputs of the report by the name of their argument.
REPORT = {
    "identity": "identity",
    "choice": "k_choice",
    "evaluation": "k_evaluation",
    "profile": "segment_profile",
    "migration": "migration",
    "migration_matrix": "migration_matrix",
    "membership": "segment_membership",
    "projection": "segment_projection",
    "accounting": "customer_accounting",
    "features": "params:features",
    "params": PARAMS,
}
PAGE = {"page": "segment_report", "headline": "headline"} | {
    plot: f"segment_plot_{plot}" for plot in PLOTS
}

Step: TypeAlias = tuple[
    str, Callable[..., Any], list[str] | dict[str, str], str | list[str] | dict[str, str]
]
# fmt: off
STEPS: list[Step] = [
    ("clustering_input", nodes.select_clustering_input,
     ["customer_features", "layout", PARAMS], "clustering_input"),
    ("k_evaluation", nodes.evaluate_segment_counts,
     ["clustering_input", "layout", PARAMS], "k_evaluation"),
    ("k_choice", nodes.choose_segment_count,
     ["k_evaluation", "layout", "previous_identities", PARAMS], "k_choice"),
    ("segments", nodes.fit_segments,
     ["clustering_input", "layout", "k_choice", *EARLIER, PARAMS],
     ["segmentation", "identity", "identities", "segment_members"]),
    ("profile_input", nodes.select_profile_input,
     ["customer_features", "layout"], "profile_input"),
    ("segment_profile", nodes.describe_segments,
     ["profile_input", "segment_members", "identity", PARAMS], "segment_profile"),
    ("segment_projection", nodes.compute_segment_projection,
     ["clustering_input", "segment_members", "identity", PARAMS], "segment_projection"),
    ("segment_membership", measure_soft_membership,
     ["segmentation", "clustering_input", PARAMS], "segment_membership"),
    ("migration", nodes.compute_segment_migration,
     ["segment_members", "identity", *EARLIER, PARAMS], ["migration_matrix", "migration"]),
    ("customer_accounting", account_for_customers,
     ["observed_rubros", "segment_members", PARAMS], "customer_accounting"),
    ("segment_report", nodes.build_segment_report, REPORT, PAGE),
]
# fmt: on


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Customer features and the previous model in; segments, profile, migration and report out."""
    chain = [
        Node(function, inputs, outputs, name=name) for name, function, inputs, outputs in STEPS
    ]
    return create_stage_pipeline(use_case, "segmentation", chain)
