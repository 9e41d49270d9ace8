import io

import pandas as pd
import pytest

from clientela.simulation.credit.borrowers import borrowers_of
from clientela.simulation.credit.parameters import CreditSimulation
from clientela.simulation.credit.tables import simulated_loans


@pytest.fixture(scope="session")
def block():
    return next(CreditSimulation().blocks())


@pytest.fixture(scope="session")
def borrowers(block):
    return borrowers_of(block)


@pytest.fixture(scope="session")
def loans() -> pd.DataFrame:
    """The default sample as pandas reads its CSV."""
    source = simulated_loans(CreditSimulation())
    text = b"".join(map(bytes, source.csv_blocks()))
    return pd.read_csv(io.BytesIO(text), names=source.columns, header=None)
