"""Labelling of one use case: its accepted table in; the table with labels, and their audit, out."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.exceptions import ConfigurationError
from clientela.pipelines.assembly import accepted_cases_of, cases_of, pipeline_of
from clientela.pipelines.labelling import nodes

PARAMETERS = ["params:features", "params:labelling"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Descriptions and labels of every row, and what they are worth.

    Args:
        use_case: Of kind `table`.

    Returns:
        The stage for this use case.

    Raises:
        ConfigurationError: It is of another kind, or does not have just one table.
    """
    if use_case.kind != "table" or use_case.task != "binary":
        raise ConfigurationError(
            f"use_cases.yml: {use_case.name!r} has the stage 'labelling', which is for kind: table "
            f"with task: binary, but it is of kind {use_case.kind!r} with task {use_case.task!r}. "
            "Remove the stage."
        )
    accepted = accepted_cases_of(use_case)
    chain = [
        Node(
            nodes.rows_to_label,
            inputs=[accepted, *PARAMETERS],
            outputs="rows_to_label",
            name="rows_to_label",
        ),
        Node(
            nodes.labels,
            inputs=[
                "rows_to_label",
                "language_models",
                "answers",
                "describe_prompt",
                "label_prompt",
                *PARAMETERS,
            ],
            outputs=["labels", "lost_rows", "label_stability"],
            name="labels",
        ),
        Node(
            nodes.labelled_cases,
            inputs=[accepted, "labels", *PARAMETERS],
            outputs=cases_of(use_case),
            name="labelled_cases",
        ),
        Node(
            nodes.label_audit,
            inputs=["labels", "rows_to_label", "label_stability", *PARAMETERS],
            outputs=["label_audit", "label_shares"],
            name="label_audit",
        ),
    ]
    return pipeline_of(use_case, "labelling", chain)
