import pytest

from clientela.pipelines.data_generation.retail import draw_customers
from clientela.pipelines.data_generation.simulation import (
    Calendar,
    TransactionSimulation,
    split_into_chunks,
)


@pytest.fixture(scope="session")
def simulation():
    return TransactionSimulation(customers=300, transactions=9_000, seed=3, chunk_rows=4_000)


@pytest.fixture(scope="session")
def calendar(simulation):
    return Calendar(simulation.start, simulation.end)


@pytest.fixture(scope="session")
def chunk(simulation):
    return list(split_into_chunks(simulation))[1]


@pytest.fixture(scope="session")
def customers(chunk, calendar):
    return draw_customers(chunk, calendar)
