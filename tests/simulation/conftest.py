import pytest

from clientela.simulation.chunks import chunks
from clientela.simulation.customers import customers_of
from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.seasonality import Calendar


@pytest.fixture(scope="session")
def simulation():
    return TransactionSimulation(customers=300, transactions=9_000, seed=3, chunk_rows=4_000)


@pytest.fixture(scope="session")
def calendar(simulation):
    return Calendar(simulation.start, simulation.end)


@pytest.fixture(scope="session")
def chunk(simulation):
    return list(chunks(simulation))[1]


@pytest.fixture(scope="session")
def customers(chunk, calendar):
    return customers_of(chunk, calendar)
