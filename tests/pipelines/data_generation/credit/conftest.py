import io

import pandas as pd
import pytest

from clientela.pipelines.data_generation.credit import (
    CreditSimulation,
    draw_borrowers,
    simulate_loans,
)


@pytest.fixture(scope="session")
def block():
    return next(CreditSimulation().blocks())


@pytest.fixture(scope="session")
def borrowers(block):
    return draw_borrowers(block)


@pytest.fixture(scope="session")
def loans() -> pd.DataFrame:
    """The default sample as pandas reads its CSV."""
    source = simulate_loans(CreditSimulation())
    text = b"".join(map(bytes, source.csv_blocks()))
    return pd.read_csv(io.BytesIO(text), names=source.columns, header=None)
