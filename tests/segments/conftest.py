import pytest
from tests.segments.tables import Shop


@pytest.fixture(scope="session")
def shop() -> Shop:
    return Shop()
