import pytest

from clientela.pipelines.data_generation.retail import (
    Calendar,
    TransactionSimulation,
    draw_customers,
)


@pytest.fixture(scope="session")
def simulation():
    return TransactionSimulation(customers=300, transactions=9_000, seed=3, chunk_rows=4_000)


@pytest.fixture(scope="session")
def calendar(simulation):
    return Calendar(simulation.start, simulation.end)


@pytest.fixture(scope="session")
def chunk(simulation):
    return list(simulation.blocks())[1]


@pytest.fixture(scope="session")
def customers(chunk, calendar):
    return draw_customers(chunk, calendar)
