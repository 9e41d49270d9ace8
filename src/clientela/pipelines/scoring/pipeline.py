"""Scoring of one use case."""

from kedro.pipeline import Node, Pipeline

from clientela.models.segment_model import account_for_customers
from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.scoring import nodes
from clientela.use_cases import UseCase


def create_pipeline(use_case: UseCase) -> Pipeline:
    """The stored model and features in; scores or segments of every customer out."""
    if use_case.task != "segments":
        scores = Node(
            nodes.score_customers,
            inputs=["champion", "scoring_features", "params:scoring"],
            outputs=["scores", "scores_csv"],
            name="scores",
        )
        return create_stage_pipeline(use_case, "scoring", [scores])
    return create_stage_pipeline(
        use_case,
        "scoring",
        [
            Node(
                nodes.select_export_input,
                inputs=["customer_features", "segmentation"],
                outputs="export_input",
                name="export_input",
            ),
            Node(
                nodes.build_segment_export,
                inputs=["segmentation", "export_input", "segment_members", "params:segmentation"],
                outputs="segment_export",
                name="segment_export",
            ),
            Node(
                account_for_customers,
                inputs=["observed_rubros", "segment_export", "params:segmentation"],
                outputs="export_accounting",
                name="export_accounting",
            ),
            Node(
                nodes.copy_export_to_files,
                inputs="segment_export",
                outputs=["export_csv", "export_jsonl", "exports"],
                name="export_files",
            ),
            Node(
                nodes.copy_export_to_tables,
                inputs=["segment_export", "exports"],
                outputs=["segments_current", "segments_history"],
                name="database_tables",
            ),
        ],
    )
