"""Nodes of the data generation stage: they describe rows; the catalog draws them as it saves."""

from typing import Any

from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.tables import (
    SimulatedCustomers,
    SimulatedTransactions,
    generation_report,
)


def simulated_retailer(
    simulation: TransactionSimulation,
) -> tuple[SimulatedTransactions, SimulatedCustomers, dict[str, Any]]:
    """The two raw tables of a simulated retailer, not yet drawn, and what they will hold.

    Args:
        simulation: Size, dates, seed and dirt.

    Returns:
        Transactions (one row per transaction), customers (one row per customer, PII), and the
        report of `generation_report`; saved in this order, so no report outlives a refusal.
    """
    return (
        SimulatedTransactions(simulation),
        SimulatedCustomers(simulation),
        generation_report(simulation),
    )
