"""Sample raw files for a use case."""

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.data_generation.nodes import find_table_generator, simulated_retailer
from clientela.use_cases import UseCase


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Parameters in; sample files and `generation_report` out.

    The kind `transactions` simulates a retailer; a table of the kind `table` names its generator.

    Raises:
        ConfigurationError: No generator is named, or one that does not exist.
    """
    node = (
        _create_retailer_node() if use_case.kind == "transactions" else _create_table_node(use_case)
    )
    return create_stage_pipeline(use_case, "data_generation", [node])


def _create_retailer_node() -> Node:
    return Node(
        simulated_retailer,
        inputs="params:data_generation",
        outputs=["raw_transactions@sample", "raw_customers@sample", "generation_report"],
        name="simulated_retailer",
    )


def _create_table_node(use_case: UseCase) -> Node:
    table, generator = find_table_generator(use_case)
    return Node(
        generator.node,
        inputs="params:data_generation",
        outputs=[f"raw_{table}@sample", *generator.also, "generation_report"],
        name=generator.node.__name__,
    )
