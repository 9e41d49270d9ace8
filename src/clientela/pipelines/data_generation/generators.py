"""The generators of single tables, by the name that the switchboard calls them by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clientela.contracts.use_cases import UseCase
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.pipelines.data_generation.nodes import (
    simulated_desk,
    simulated_lender,
    simulated_wifi,
)

TRUTH = "sample_truth"


@dataclass(frozen=True)
class Generator:
    """What draws a sample of one table.

    Attributes:
        node: Parameters in; the rows, then what `also` names, then their report out.
        also: Datasets beside the table, which no model may see.
    """

    node: Callable[..., Any]
    also: tuple[str, ...] = ()


GENERATORS: Mapping[str, Generator] = {
    "credit": Generator(simulated_lender),
    "credit_applications": Generator(simulated_desk, (TRUTH,)),
    "wifi_churn": Generator(simulated_wifi, (TRUTH,)),
}


def generated_table(use_case: UseCase) -> tuple[str, Generator]:
    """The table of a use case that a sample is drawn of, and what draws it.

    Args:
        use_case: An entry of kind `table`.

    Returns:
        The table's name and its generator.

    Raises:
        ConfigurationError: No table or several name a generator, or one that does not exist.
    """
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
