"""Nodes of the data generation stage: they describe rows; the catalog draws them as it saves."""

from typing import Any

from clientela.simulation.applications.parameters import ApplicationSimulation
from clientela.simulation.applications.tables import (
    application_report,
    simulated_application_truth,
    simulated_applications,
)
from clientela.simulation.churn.parameters import ChurnSimulation
from clientela.simulation.churn.tables import (
    churn_report,
    simulated_churn_truth,
    simulated_visitors,
)
from clientela.simulation.credit.parameters import CreditSimulation
from clientela.simulation.credit.tables import credit_report, simulated_loans
from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.single_table import SimulatedTable
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


def simulated_lender(simulation: CreditSimulation) -> tuple[SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated lender, not yet drawn, and what it will hold.

    Args:
        simulation: Size, dates, seed and dirt.

    Returns:
        Loans (one row per loan), and the report of `credit_report`.
    """
    return simulated_loans(simulation), credit_report(simulation)


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
        simulated_visitors(simulation),
        simulated_churn_truth(simulation),
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
        simulated_applications(simulation),
        simulated_application_truth(simulation),
        application_report(simulation),
    )
