import pandas as pd
import pyarrow as pa
import pytest

from clientela.simulation.applications.parameters import ApplicationSimulation
from clientela.simulation.applications.tables import (
    simulated_application_truth,
    simulated_applications,
)

LARGE = ApplicationSimulation(rows=50_000)


@pytest.fixture(scope="session")
def applications() -> pd.DataFrame:
    return pa.concat_tables(simulated_applications(LARGE).tables()).to_pandas()


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return pa.concat_tables(simulated_application_truth(LARGE).tables()).to_pandas()
