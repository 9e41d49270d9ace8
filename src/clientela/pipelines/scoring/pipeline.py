"""Scoring of one use case."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.scoring import nodes, segment_nodes


def create_pipeline(use_case: UseCase) -> Pipeline:
    """The stored model and features in; scores or segments of every customer out.

    Args:
        use_case: Whose.

    Returns:
        The stage for this use case.
    """
    chain = _segments() if use_case.task == "segments" else _scores()
    return pipeline_of(use_case, "scoring", chain)


def _scores() -> list[Node]:
    return [
        Node(
            nodes.scores,
            inputs=["champion", "scoring_features", "params:scoring"],
            outputs=["scores", "scores_csv"],
            name="scores",
        )
    ]


def _segments() -> list[Node]:
    return [
        Node(
            segment_nodes.export_input,
            inputs=["customer_features", "segmentation"],
            outputs="export_input",
            name="export_input",
        ),
        Node(
            segment_nodes.segment_export,
            inputs=["segmentation", "export_input", "segment_members", "params:segmentation"],
            outputs="segment_export",
            name="segment_export",
        ),
        Node(
            segment_nodes.export_files,
            inputs="segment_export",
            outputs=["export_csv", "export_jsonl", "exports"],
            name="export_files",
        ),
        Node(
            segment_nodes.database_tables,
            inputs=["segment_export", "exports"],
            outputs=["segments_current", "segments_history"],
            name="database_tables",
        ),
    ]
