"""Nodes of the data generation stage: they describe rows; the catalog draws them as it saves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.pipelines.data_generation.applications import (
    ApplicationSimulation,
    application_report,
    simulate_application_truth,
    simulate_applications,
)
from clientela.pipelines.data_generation.borrowers import CreditSimulation
from clientela.pipelines.data_generation.churn import (
    ChurnSimulation,
    churn_report,
    simulate_churn_truth,
    simulate_visitors,
)
from clientela.pipelines.data_generation.credit import credit_report, simulate_loans
from clientela.pipelines.data_generation.simulation import SimulatedTable, TransactionSimulation
from clientela.pipelines.data_generation.transactions import (
    SimulatedCustomers,
    SimulatedTransactions,
    generation_report,
)
from clientela.use_cases import UseCase

# Nodes of the data generation stage: they describe rows; the catalog draws them as it saves.


def simulated_retailer(
    simulation: TransactionSimulation,
) -> tuple[SimulatedTransactions, SimulatedCustomers, dict[str, Any]]:
    """The two raw tables of a simulated retailer, not yet drawn, and what they will hold.

    Returns:
        Transactions (one row per transaction), customers (one row per customer, PII), and the
        report of `generation_report`; saved in this order, so no report outlives a refusal.
    """
    return (
        SimulatedTransactions(simulation),
        SimulatedCustomers(simulation),
        generation_report(simulation),
    )


def simulated_lender(simulation: CreditSimulation) -> tuple[SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated lender, not yet drawn, and what it will hold.

    Returns:
        Loans (one row per loan), and the report of `credit_report`.
    """
    return simulate_loans(simulation), credit_report(simulation)


def simulated_wifi(
    simulation: ChurnSimulation,
) -> tuple[SimulatedTable, SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated WiFi, not yet drawn, its truth, and what it will hold.

    Args:
        simulation: Size, date, seed, form and dirt.

    Returns:
        Visitors (one row per user, PII), the true probability of each (kept apart from raw data, so
        that no model sees it), and the report of `churn_report`.
    """
    return (
        simulate_visitors(simulation),
        simulate_churn_truth(simulation),
        churn_report(simulation),
    )


def simulated_desk(
    simulation: ApplicationSimulation,
) -> tuple[SimulatedTable, SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated credit desk, not yet drawn, its truth, and what it will hold.

    Args:
        simulation: Size, seed, judged share and dirt.

    Returns:
        Applications (one row per application, PII), the true risk of each (kept apart from raw
        data, so that no model sees it), and the report of `application_report`.
    """
    return (
        simulate_applications(simulation),
        simulate_application_truth(simulation),
        application_report(simulation),
    )


# The generators of single tables, by the name that the switchboard calls them by.


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


def find_table_generator(use_case: UseCase) -> tuple[str, Generator]:
    """The table of a use case that a sample is drawn of, and what draws it.

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
