from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from tests.tabular.cases import CONFIGURED, PARAMS, Engine, table_of

from clientela.features.table_features import case_features
from clientela.features.table_settings import TabularFeatureParams


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()


@pytest.fixture
def features(engine: Engine) -> Callable[..., pd.DataFrame]:
    """The features of some loans, in their order."""

    def of(*rows: dict[str, Any], params: TabularFeatureParams = PARAMS) -> pd.DataFrame:
        found = engine.frame(case_features(table_of(*rows), params)).set_index(params.key)
        return found.loc[[row[params.key] for row in rows]].reset_index()

    return of


@pytest.fixture
def configured() -> Callable[..., TabularFeatureParams]:
    """The parameters of the loans, but for some top-level fields."""

    def with_changes(**changes: Any) -> TabularFeatureParams:
        return TabularFeatureParams.model_validate(CONFIGURED | changes)

    return with_changes
