"""What the columns of the features of a table mean, for stages that know no use case."""

from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from clientela.features.table_settings import TabularFeatureParams


class TabularSchema(BaseModel):
    """The meaning of each column of a model input on a table.

    A superset of what training asks of any schema (key, target, required, extra, classes, values).

    Attributes:
        key: Unique key of a row.
        target: Column with the class of a row, by its name.
        required: Features that the requirement lists.
        classes: Names of the negative and the positive class.
        numeric: Features that are numbers.
        categorical: Features that are words without an order.
        ordinal: Features that are words with an order: name to levels, lowest first.
        sources: Feature to the columns of the table that it is made of.
        inputs: Columns of the table that features are made of.
        needed: Those of them that every table to be scored must bring.
        sensitive: Columns to compare groups of people by; beside the features, or among them.
        time: Date column to split by.
        excluded: Columns of the table that are no features, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    target: str
    required: tuple[str, ...]
    extra: tuple[str, ...] = ()
    classes: tuple[str, str]
    values: tuple[float, float]
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ordinal: dict[str, tuple[str, ...]] = {}
    sources: dict[str, tuple[str, ...]]
    inputs: tuple[str, ...]
    needed: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    time: str | None = None
    excluded: dict[str, str] = {}

    def find_features_using(self, column: str) -> list[str]:
        """The features that a column of the table takes part in."""
        return [name for name, columns in self.sources.items() if column in columns]


def feature_schema(params: TabularFeatureParams) -> dict[str, Any]:
    """Which columns of the model input mean what.

    Returns:
        The fields of `TabularSchema`, as they are stored in JSON.
    """
    raw, made = params.raw_features, params.made_numbers
    categories = params.enrichment.categories()
    required = [name for name in params.listed if name in raw]
    rest = [name for name in raw if name not in required]
    target = params.target
    schema = TabularSchema(
        key=params.key,
        target=target.column,
        required=tuple(required),
        extra=(*rest, *made, *categories),
        classes=(target.negative.name, target.positive.name),
        values=(0.0, 1.0),
        numeric=(*params.numeric, *made),
        categorical=(*params.categorical, *categories),
        ordinal=params.ordinal,
        sources={name: tuple(_find_sources(name, params)) for name in (*raw, *made, *categories)},
        inputs=tuple(params.inputs),
        needed=tuple(params.needed),
        sensitive=params.sensitive,
        time=params.time,
        excluded=params.excluded,
    )
    return schema.model_dump(mode="json")


def _find_sources(name: str, params: TabularFeatureParams) -> list[str]:
    """The columns of the table behind a feature, through all that was made in between."""
    made = params.made_numbers | params.enrichment.categories()
    if name not in made:
        return [name]
    found = (source for operand in made[name] for source in _find_sources(operand, params))
    return list(dict.fromkeys(found))


def find_imputed_cells(features: pd.DataFrame, schema: TabularSchema) -> list[list[str]]:
    """For each row, the columns of the table whose value is imputed.

    A value is imputed where it was absent, or where cleaning did not believe it. A date
    counts as imputed where all that is made of it is missing.

    Args:
        features: One row per case, as `clientela.features.table_features.case_features` gives it.

    Returns:
        Column names by row, in the order of the schema's inputs.
    """
    missing = features[[*schema.sources]].isna()
    by_input = {
        name: missing[name]
        if name in missing
        else missing[schema.find_features_using(name)].all(axis="columns")
        for name in schema.inputs
    }
    table = pd.DataFrame(by_input, index=features.index)
    return [list(table.columns[row]) for row in table.to_numpy()]
