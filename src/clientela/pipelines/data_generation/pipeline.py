"""Sample raw files for a use case."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.exceptions import ConfigurationError
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.data_generation.nodes import simulated_retailer


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Parameters in; sample files of transactions and customers, and `generation_report`, out.

    Args:
        use_case: An entry of kind `transactions`.

    Returns:
        The stage for this use case.

    Raises:
        ConfigurationError: The entry is of another kind.
    """
    if use_case.kind != "transactions":
        raise ConfigurationError(
            f"use_cases.yml: {use_case.name!r} lists the stage data_generation, which simulates "
            f"the kind 'transactions' only, but its kind is {use_case.kind!r}. Remove the stage."
        )
    node = Node(
        simulated_retailer,
        inputs="params:data_generation",
        outputs=["raw_transactions@sample", "raw_customers@sample", "generation_report"],
        name="simulated_retailer",
    )
    return pipeline_of(use_case, "data_generation", [node])
