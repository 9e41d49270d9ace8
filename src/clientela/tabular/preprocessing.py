"""Fitted preprocessing: imputation, encoding and scaling, learned in training and nowhere else.

The required form: median for numbers, the most frequent word and one column per word for
categories (unknown words become no column), codes for words with an order. It goes into one
scikit-learn pipeline with its model, so that training and inference can't differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.tabular.schema import TabularSchema

NUMERIC, LOGGED, NOMINAL, ORDINAL = "numeric", "logged", "nominal", "ordinal"


class PreprocessingSettings(BaseModel):
    """How features become the numbers that a model is fitted on.

    Attributes:
        scaling: `standard` (mean and deviation), `robust` (median and quartiles), or `none`. One
            column per word is never scaled.
        logged: Numeric features that enter as log(1 + x), negative ones counting as 0.
        missing_indicator: Whether a column tells where a number was imputed, for each number that
            is missing somewhere in the training data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scaling: Literal["none", "standard", "robust"] = "none"
    logged: tuple[str, ...] = ()
    missing_indicator: bool = False


@dataclass(frozen=True)
class ColumnsAmong:
    """Selects the named columns that a table has, so that one recipe serves any group of features.

    Attributes:
        names: Columns, in the order they are given on.
    """

    names: tuple[str, ...]

    def __call__(self, X: pd.DataFrame) -> list[str]:
        """The columns of the names that stand in X."""
        return [name for name in self.names if name in X.columns]


def preprocessor(schema: TabularSchema, settings: PreprocessingSettings) -> ColumnTransformer:
    """The unfitted preprocessing of a use case.

    It takes what features the table has when it is fitted, and asks for exactly those afterwards,
    in any order; a column without any value becomes a constant.

    Args:
        schema: Which features are numbers, words, and words with an order.
        settings: Options.

    Returns:
        A transformer from a DataFrame to a matrix of float64 without missing values.

    Raises:
        ConfigurationError: `logged` names no numeric feature.
    """
    for name in settings.logged:
        if name not in schema.numeric:
            raise ConfigurationError(
                f"preprocessing.logged: {name!r} is no numeric feature. "
                f"{did_you_mean(name, schema.numeric)}"
            )
    plain = tuple(name for name in schema.numeric if name not in settings.logged)
    parts = [
        (NUMERIC, _numbers(settings), ColumnsAmong(plain)),
        (LOGGED, _logs(settings), ColumnsAmong(settings.logged)),
        (NOMINAL, _words(), ColumnsAmong(schema.categorical)),
    ]
    parts += [
        (f"{ORDINAL}_{name}", _levels(levels, settings), ColumnsAmong((name,)))
        for name, levels in schema.ordinal.items()
    ]
    return ColumnTransformer(parts, remainder="drop", sparse_threshold=0.0)


def log_of_positive(numbers: pd.DataFrame) -> pd.DataFrame:
    """log(1 + x), negative numbers counting as 0 and missing ones staying missing.

    Args:
        numbers: Numeric columns.

    Returns:
        The same columns.
    """
    return numbers.clip(lower=0.0).apply(np.log1p)


def words_as_objects(words: pd.DataFrame) -> pd.DataFrame:
    """Words in the one form that encoders compare: objects, with NaN for whatever is missing.

    A frame from Parquet, from JSON and from Python each write missing text in their own way.

    Args:
        words: Columns of text.

    Returns:
        The same columns.
    """
    objects = words.astype(object)
    return objects.where(words.notna(), np.nan)


def output_columns(fitted: ColumnTransformer) -> pd.DataFrame:
    """One row per column of the matrix, in its order: which feature it comes from.

    Args:
        fitted: A fitted preprocessor.

    Returns:
        `output` (name of the column), `feature`, and `level`: the word that the column stands for,
        `ausente` for a missing indicator, else empty.
    """
    rows = [
        row
        for name, transformer, columns in fitted.transformers_
        if name != "remainder" and len(columns)
        for row in _origins(name, transformer, list(columns))
    ]
    origins = pd.DataFrame(rows, columns=["feature", "level"]).astype("str")
    origins.insert(0, "output", pd.Series(fitted.get_feature_names_out()).astype("str"))
    return origins


MISSING_LEVEL = "ausente"


def _origins(name: str, fitted: Pipeline, columns: list[str]) -> Iterator[tuple[str, str]]:
    if name == NOMINAL:
        for column, levels in zip(columns, fitted.named_steps["encode"].categories_, strict=True):
            yield from ((column, str(level)) for level in levels)
        return
    yield from ((column, "") for column in columns)
    imputer = fitted.named_steps["impute"]
    if imputer.add_indicator:
        yield from ((columns[place], MISSING_LEVEL) for place in imputer.indicator_.features_)


def _numbers(settings: PreprocessingSettings) -> Pipeline:
    return Pipeline([("impute", _median(settings)), *_scaling(settings)])


def _logs(settings: PreprocessingSettings) -> Pipeline:
    log = FunctionTransformer(log_of_positive, feature_names_out="one-to-one")
    return Pipeline([("log", log), ("impute", _median(settings)), *_scaling(settings)])


def _words() -> Pipeline:
    # a column without any word is a category of its own, called by the imputer's constant
    imputer = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline([("words", _objects()), ("impute", imputer), ("encode", encoder)])


def _levels(levels: tuple[str, ...], settings: PreprocessingSettings) -> Pipeline:
    encoder = OrdinalEncoder(
        categories=[list(levels)], handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    imputer = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    steps = [("words", _objects()), ("encode", encoder), ("impute", imputer)]
    return Pipeline([*steps, *_scaling(settings)])


def _objects() -> FunctionTransformer:
    return FunctionTransformer(words_as_objects, feature_names_out="one-to-one")


def _median(settings: PreprocessingSettings) -> SimpleImputer:
    return SimpleImputer(
        strategy="median", keep_empty_features=True, add_indicator=settings.missing_indicator
    )


def _scaling(settings: PreprocessingSettings) -> list[tuple[str, Any]]:
    if settings.scaling == "none":
        return []
    return [("scale", StandardScaler() if settings.scaling == "standard" else RobustScaler())]
