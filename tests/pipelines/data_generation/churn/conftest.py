import pandas as pd
import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.churn import (
    ChurnSimulation,
    simulate_churn_truth,
    simulate_visitors,
)


@pytest.fixture(scope="session")
def visitors() -> pd.DataFrame:
    return pa.concat_tables(simulate_visitors(ChurnSimulation()).tables()).to_pandas()


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return pa.concat_tables(simulate_churn_truth(ChurnSimulation()).tables()).to_pandas()
