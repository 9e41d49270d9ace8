"""How a stage's nodes become one use case's pipeline: one namespace, its tags, shared tables."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase


def pipeline_of(use_case: UseCase, stage: str, nodes: Sequence[Node]) -> Pipeline:
    """The nodes as the use case's own: datasets take its namespace, shared tables none.

    The nodes also take a namespace for their stage, so that kedro-viz folds each stage of a use
    case into one box; their datasets do not, because stages meet by dataset name.

    Args:
        use_case: Whose they become.
        stage: The stage they belong to.
        nodes: Its nodes, with plain dataset names.

    Returns:
        A pipeline whose nodes are named `<use case>.<stage>.<node>` and carry the use case's tags.
    """
    plain = Pipeline(Pipeline(nodes), namespace=stage, prefix_datasets_with_namespace=False)
    shared = set(use_case.shared_tables)
    return Pipeline(
        plain,
        namespace=use_case.name,
        prefix_datasets_with_namespace=True,
        inputs=shared & plain.inputs(),
        outputs=shared & plain.all_outputs(),
        tags=set(use_case.tags),
    )
