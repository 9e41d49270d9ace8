"""Scoring of one use case."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.scoring import nodes


def create_pipeline(use_case: UseCase) -> Pipeline:
    """The stored champion and features in; scores out, as Parquet and CSV.

    Args:
        use_case: Whose.

    Returns:
        The stage for this use case.
    """
    node = Node(
        nodes.scores,
        inputs=["champion", "scoring_features", "params:scoring"],
        outputs=["scores", "scores_csv"],
        name="scores",
    )
    return pipeline_of(use_case, "scoring", [node])
