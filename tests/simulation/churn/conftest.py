import pandas as pd
import pyarrow as pa
import pytest

from clientela.simulation.churn.parameters import ChurnSimulation
from clientela.simulation.churn.tables import simulated_churn_truth, simulated_visitors


@pytest.fixture(scope="session")
def visitors() -> pd.DataFrame:
    return pa.concat_tables(simulated_visitors(ChurnSimulation()).tables()).to_pandas()


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return pa.concat_tables(simulated_churn_truth(ChurnSimulation()).tables()).to_pandas()
