"""Segmentation of one use case: from customer features to segments, their names, and a report."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.segmentation import nodes

PARAMS = "params:segmentation"
EARLIER = ["previous_identities", "previous_exports"]
PLOTS = ("elbow", "silhouette", "projection", "scores", "migration", "sizes")


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Customer features and the previous model in; segments, profile, migration and report out.

    Args:
        use_case: A use case whose task is segments.

    Returns:
        The stage for this use case.
    """
    return pipeline_of(use_case, "segmentation", [*_finding(), *_looking(), *_telling()])


def _finding() -> list[Node]:
    return [
        Node(
            nodes.clustering_input,
            inputs=["customer_features", "layout", PARAMS],
            outputs="clustering_input",
            name="clustering_input",
        ),
        Node(
            nodes.k_evaluation,
            inputs=["clustering_input", "layout", PARAMS],
            outputs="k_evaluation",
            name="k_evaluation",
        ),
        Node(
            nodes.k_choice,
            inputs=["k_evaluation", "layout", "previous_identities", PARAMS],
            outputs="k_choice",
            name="k_choice",
        ),
        Node(
            nodes.segments,
            inputs=["clustering_input", "layout", "k_choice", *EARLIER, PARAMS],
            outputs=["segmentation", "identity", "identities", "segment_members"],
            name="segments",
        ),
    ]


def _looking() -> list[Node]:
    placed = ["segment_members", "identity", PARAMS]
    return [
        Node(
            nodes.profile_input,
            inputs=["customer_features", "layout"],
            outputs="profile_input",
            name="profile_input",
        ),
        Node(
            nodes.segment_profile,
            inputs=["profile_input", *placed],
            outputs="segment_profile",
            name="segment_profile",
        ),
        Node(
            nodes.segment_projection,
            inputs=["clustering_input", *placed],
            outputs="segment_projection",
            name="segment_projection",
        ),
        Node(
            nodes.segment_membership,
            inputs=["segmentation", "clustering_input", PARAMS],
            outputs="segment_membership",
            name="segment_membership",
        ),
        Node(
            nodes.migration,
            inputs=["segment_members", "identity", *EARLIER, PARAMS],
            outputs=["migration_matrix", "migration"],
            name="migration",
        ),
    ]


def _telling() -> list[Node]:
    return [
        Node(
            nodes.segment_report,
            inputs={
                "identity": "identity",
                "choice": "k_choice",
                "evaluation": "k_evaluation",
                "profile": "segment_profile",
                "migration": "migration",
                "migration_matrix": "migration_matrix",
                "membership": "segment_membership",
                "projection": "segment_projection",
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
