"""How a stage's nodes become one use case's pipeline: one namespace, its tags, shared tables."""

from collections.abc import Iterable, Sequence

from kedro.pipeline import Node, Pipeline

from clientela.exceptions import ConfigurationError
from clientela.use_cases import UseCase


def get_accepted_dataset_name(use_case: UseCase, table: str) -> str:
    """The dataset that holds a table once it is ingested.

    Returns:
        The table's own name where use cases share it; else a name that one pattern of the catalog
        serves, so that a use case on tables of its own needs no entry for them.
    """
    return table if table in use_case.shared_tables else f"accepted_{table}"


# The stage between ingestion and all others, where labels are made.
LABELLING = "labelling"


def get_accepted_cases_name(use_case: UseCase) -> str:
    """The dataset with one row per case as ingestion accepted it, of a use case of kind `table`."""
    return get_accepted_dataset_name(use_case, _get_only_table(use_case))


def get_cases_name(use_case: UseCase) -> str:
    """The dataset with one row per case that models learn from, of a use case of kind `table`.

    Returns:
        The name of its one ingested table; where labels are made, of the table with them.
    """
    if LABELLING in use_case.stages:
        return f"labelled_{_get_only_table(use_case)}"
    return get_accepted_cases_name(use_case)


def _get_only_table(use_case: UseCase) -> str:
    if len(use_case.tables) != 1:
        raise ConfigurationError(
            f"use_cases.yml: {use_case.name!r} is of kind 'table', so it should list one table "
            f"with one row per case under tables, but lists {', '.join(use_case.tables) or 'none'}."
        )
    (table,) = use_case.tables
    return table


def list_simulated_names(tables: Iterable[str]) -> list[str]:
    """The datasets of the unchanged and of the changed period after a sample, table by table."""
    return [f"{period}_{table}" for period in ("quiet", "shifted") for table in tables]


def create_stage_pipeline(use_case: UseCase, stage: str, nodes: Sequence[Node]) -> Pipeline:
    """The nodes as the use case's own: datasets take its namespace, shared tables none.

    The nodes also take a namespace for their stage, so that kedro-viz folds each stage of a use
    case into one box; their datasets do not, because stages meet by dataset name.

    Returns:
        A pipeline whose nodes are named `<use case>.<stage>.<node>` and carry the use case's tags.
    """
    plain = Pipeline(Pipeline(nodes), namespace=stage, prefix_datasets_with_namespace=False)
    shared = {*use_case.shared_tables, *list_simulated_names(use_case.shared_tables)}
    return Pipeline(
        plain,
        namespace=use_case.name,
        prefix_datasets_with_namespace=True,
        inputs=shared & plain.inputs(),
        outputs=shared & plain.all_outputs(),
        tags=set(use_case.tags),
    )
