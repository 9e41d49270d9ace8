"""Sample raw files for a use case."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.data_generation.generators import generated_table
from clientela.pipelines.data_generation.nodes import simulated_retailer


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Parameters in; sample files and `generation_report` out.

    The kind `transactions` simulates a retailer; a table of the kind `table` names its generator.

    Args:
        use_case: Any entry.

    Returns:
        The stage for this use case.

    Raises:
        ConfigurationError: No generator is named, or one that does not exist.
    """
    node = _retailer() if use_case.kind == "transactions" else _one_table(use_case)
    return pipeline_of(use_case, "data_generation", [node])


def _retailer() -> Node:
    return Node(
        simulated_retailer,
        inputs="params:data_generation",
        outputs=["raw_transactions@sample", "raw_customers@sample", "generation_report"],
        name="simulated_retailer",
    )


def _one_table(use_case: UseCase) -> Node:
    table, generator = generated_table(use_case)
    return Node(
        generator.node,
        inputs="params:data_generation",
        outputs=[f"raw_{table}@sample", *generator.also, "generation_report"],
        name=generator.node.__name__,
    )
