"""Labelling of one use case: its accepted table in; the table with labels, and their audit, out."""

from kedro.pipeline import Node, Pipeline

from clientela.exceptions import ConfigurationError
from clientela.pipelines.assembly import (
    create_stage_pipeline,
    get_accepted_cases_name,
    get_cases_name,
)
from clientela.pipelines.labelling import nodes
from clientela.use_cases import UseCase

PARAMETERS = ["params:features", "params:labelling"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Descriptions and labels of every row, and what they are worth.

    Raises:
        ConfigurationError: It is of another kind, or does not have just one table.
    """
    if use_case.kind != "table" or use_case.task != "binary":
        raise ConfigurationError(
            f"use_cases.yml: {use_case.name!r} has the stage 'labelling', which is for kind: table "
            f"with task: binary, but it is of kind {use_case.kind!r} with task {use_case.task!r}. "
            "Remove the stage."
        )
    accepted = get_accepted_cases_name(use_case)
    chain = [
        Node(
            nodes.select_rows_to_label,
            inputs=[accepted, *PARAMETERS],
            outputs="rows_to_label",
            name="rows_to_label",
        ),
        Node(
            nodes.label_cases,
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
            nodes.join_labels,
            inputs=[accepted, "labels", *PARAMETERS],
            outputs=get_cases_name(use_case),
            name="labelled_cases",
        ),
        Node(
            nodes.check_label_quality,
            inputs=["labels", "rows_to_label", "label_stability", *PARAMETERS],
            outputs=["label_audit", "label_shares"],
            name="label_audit",
        ),
    ]
    return create_stage_pipeline(use_case, "labelling", chain)
