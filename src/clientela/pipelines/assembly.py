"""How a stage's nodes become one use case's pipeline: one namespace, its tags, shared tables."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase


def pipeline_of(use_case: UseCase, nodes: Sequence[Node]) -> Pipeline:
    """The nodes as the use case's own: names and datasets take its namespace, shared tables none.

    Args:
        use_case: Whose they become.
        nodes: Nodes of one stage, with plain dataset names.

    Returns:
        A pipeline whose nodes carry the use case's namespace and tags.
    """
    plain = Pipeline(nodes)
    shared = set(use_case.shared_tables)
    return Pipeline(
        plain,
        namespace=use_case.name,
        prefix_datasets_with_namespace=True,
        inputs=shared & plain.inputs(),
        outputs=shared & plain.all_outputs(),
        tags=set(use_case.tags),
    )
