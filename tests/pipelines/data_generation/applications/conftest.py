import pandas as pd
import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.applications import (
    ApplicationSimulation,
    simulate_application_truth,
    simulate_applications,
)

LARGE = ApplicationSimulation(rows=50_000)


@pytest.fixture(scope="session")
def applications() -> pd.DataFrame:
    return pa.concat_tables(simulate_applications(LARGE).tables()).to_pandas()


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return pa.concat_tables(simulate_application_truth(LARGE).tables()).to_pandas()
