"""Sample raw files for a use case: nodes describe rows; the catalog draws them as it saves."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kedro.pipeline import Node, Pipeline

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.pipelines.assembly import create_stage_pipeline, list_simulated_names
from clientela.pipelines.data_generation.applications import (
    simulate_credit_desk,
    simulate_next_applications,
)
from clientela.pipelines.data_generation.churn import simulate_next_visitors, simulate_wifi
from clientela.pipelines.data_generation.credit import simulate_lender, simulate_next_loans
from clientela.pipelines.data_generation.transactions import (
    simulate_next_retail,
    simulate_retailer,
)
from clientela.use_cases import UseCase

TRUTH = "sample_truth"


class Generator(NamedTuple):
    """What draws a sample of one table.

    Attributes:
        simulate: Parameters in; the rows, then what `also` names, then their report out.
        simulate_next: Parameters in; the unchanged and the changed next period out.
        also: Datasets beside the table, which no model may see.
    """

    simulate: Callable[..., Any]
    simulate_next: Callable[..., Any]
    node: str
    also: tuple[str, ...] = ()


GENERATORS: Mapping[str, Generator] = {
    "credit": Generator(simulate_lender, simulate_next_loans, "simulated_lender"),
    "credit_applications": Generator(
        simulate_credit_desk, simulate_next_applications, "simulated_desk", (TRUTH,)
    ),
    "wifi_churn": Generator(simulate_wifi, simulate_next_visitors, "simulated_wifi", (TRUTH,)),
}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Parameters in; sample files, the next period of each, and `generation_report` out.

    The kind `transactions` simulates a retailer; a table of the kind `table` names its generator.

    Raises:
        ConfigurationError: No table or several name a generator, or one that does not exist.
    """
    if use_case.kind == "transactions":
        also = ("raw_customers@sample",)
        generator = Generator(simulate_retailer, simulate_next_retail, "simulated_retailer", also)
        tables = ["transactions", "customers"]
    else:
        table, generator = _find_table_generator(use_case)
        tables = [table]
    sample = Node(
        generator.simulate,
        inputs="params:data_generation",
        outputs=[f"raw_{tables[0]}@sample", *generator.also, "generation_report"],
        name=generator.node,
    )
    next_period = Node(
        generator.simulate_next,
        inputs="params:data_generation",
        outputs=list_simulated_names(tables),
        name="next_period",
    )
    return create_stage_pipeline(use_case, "data_generation", [sample, next_period])


def _find_table_generator(use_case: UseCase) -> tuple[str, Generator]:
    """The table of a use case that a sample is drawn of, and what draws it."""
    named = {name: table.generator for name, table in use_case.tables.items() if table.generator}
    if len(named) != 1:
        raise ConfigurationError(
            f"use_cases.yml: {use_case.name!r} lists the stage data_generation, so one of its "
            f"tables should name its generator, but {len(named)} do. Known generators: "
            f"{', '.join(sorted(GENERATORS))}. Name one, or remove the stage."
        )
    ((table, generator),) = named.items()
    if generator not in GENERATORS:
        raise ConfigurationError(
            f"use_cases.yml: the table {table!r} of {use_case.name!r} names the generator "
            f"{generator!r}, which does not exist. {did_you_mean(generator, GENERATORS)}"
        )
    return table, GENERATORS[generator]
