import pytest
from tests.features.tables import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()
