"""Segmentation of one use case: from customer features to segments, their names, and a report."""

from kedro.pipeline import Node, Pipeline

from clientela.models.segment_model import account_for_customers
from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.segmentation import nodes
from clientela.use_cases import UseCase

PARAMS = "params:segmentation"
EARLIER = ["previous_identities", "previous_exports"]
PLOTS = ("elbow", "silhouette", "projection", "scores", "migration", "sizes")


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Customer features and the previous model in; segments, profile, migration and report out."""
    return create_stage_pipeline(
        use_case,
        "segmentation",
        [*_create_fit_nodes(), *_create_profile_nodes(), *_create_report_nodes()],
    )


def _create_fit_nodes() -> list[Node]:
    return [
        Node(
            nodes.select_clustering_input,
            inputs=["customer_features", "layout", PARAMS],
            outputs="clustering_input",
            name="clustering_input",
        ),
        Node(
            nodes.evaluate_segment_counts,
            inputs=["clustering_input", "layout", PARAMS],
            outputs="k_evaluation",
            name="k_evaluation",
        ),
        Node(
            nodes.choose_segment_count,
            inputs=["k_evaluation", "layout", "previous_identities", PARAMS],
            outputs="k_choice",
            name="k_choice",
        ),
        Node(
            nodes.fit_segments,
            inputs=["clustering_input", "layout", "k_choice", *EARLIER, PARAMS],
            outputs=["segmentation", "identity", "identities", "segment_members"],
            name="segments",
        ),
    ]


def _create_profile_nodes() -> list[Node]:
    placed = ["segment_members", "identity", PARAMS]
    return [
        Node(
            nodes.select_profile_input,
            inputs=["customer_features", "layout"],
            outputs="profile_input",
            name="profile_input",
        ),
        Node(
            nodes.describe_segments,
            inputs=["profile_input", *placed],
            outputs="segment_profile",
            name="segment_profile",
        ),
        Node(
            nodes.compute_segment_projection,
            inputs=["clustering_input", *placed],
            outputs="segment_projection",
            name="segment_projection",
        ),
        Node(
            nodes.measure_segment_membership,
            inputs=["segmentation", "clustering_input", PARAMS],
            outputs="segment_membership",
            name="segment_membership",
        ),
        Node(
            nodes.compute_segment_migration,
            inputs=["segment_members", "identity", *EARLIER, PARAMS],
            outputs=["migration_matrix", "migration"],
            name="migration",
        ),
        Node(
            account_for_customers,
            inputs=["observed_rubros", "segment_members", PARAMS],
            outputs="customer_accounting",
            name="customer_accounting",
        ),
    ]


def _create_report_nodes() -> list[Node]:
    return [
        Node(
            nodes.build_segment_report,
            inputs={
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
            },
            outputs={
                "page": "segment_report",
                "headline": "headline",
                **{plot: f"segment_plot_{plot}" for plot in PLOTS},
            },
            name="segment_report",
        )
    ]
