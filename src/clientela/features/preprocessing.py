"""Fitted preprocessing: imputation, encoding and scaling, learned in training and nowhere else."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Literal, TypeAlias

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

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.features.columns import FeatureLayout, Features, Words, limit_to_float32
from clientela.features.table_schema import TabularSchema

# Fitted preprocessing: imputation, encoding and scaling, learned in training and nowhere else.
#
# The required form: median for numbers, the most frequent word and one column per word for
# categories (unknown words become no column), codes for words with an order. It goes into one
# scikit-learn pipeline with its model, so that training and inference can't differ.


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


def make_preprocessor(schema: TabularSchema, settings: PreprocessingSettings) -> ColumnTransformer:
    """The unfitted preprocessing of a use case.

    It takes what features the table has when it is fitted, and asks for exactly those afterwards,
    in any order; a column without any value becomes a constant.

    Args:
        schema: Which features are numbers, words, and words with an order.

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
        (NUMERIC, _make_number_pipeline(settings), ColumnsAmong(plain)),
        (LOGGED, _make_log_pipeline(settings), ColumnsAmong(settings.logged)),
        (NOMINAL, _make_word_pipeline(), ColumnsAmong(schema.categorical)),
    ]
    parts += [
        (f"{ORDINAL}_{name}", _make_level_pipeline(levels, settings), ColumnsAmong((name,)))
        for name, levels in schema.ordinal.items()
    ]
    return ColumnTransformer(parts, remainder="drop", sparse_threshold=0.0)


def log_of_positive(numbers: pd.DataFrame) -> pd.DataFrame:
    """log(1 + x), negative numbers counting as 0 and missing ones staying missing."""
    return numbers.clip(lower=0.0).apply(np.log1p)


def words_as_objects(words: pd.DataFrame) -> pd.DataFrame:
    """Words in the one form that encoders compare: objects, with NaN for whatever is missing.

    A frame from Parquet, from JSON and from Python each write missing text in their own way.
    """
    objects = words.astype(object)
    return objects.where(words.notna(), np.nan)


def output_columns(fitted: ColumnTransformer) -> pd.DataFrame:
    """One row per column of the matrix, in its order: which feature it comes from.

    Returns:
        `output` (name of the column), `feature`, and `level`: the word that the column stands for,
        `ausente` for a missing indicator, else empty.
    """
    rows = [
        row
        for name, transformer, columns in fitted.transformers_
        if name != "remainder" and len(columns)
        for row in _list_origins(name, transformer, list(columns))
    ]
    origins = pd.DataFrame(rows, columns=["feature", "level"]).astype("str")
    origins.insert(0, "output", pd.Series(fitted.get_feature_names_out()).astype("str"))
    return origins


MISSING_LEVEL = "ausente"


def _list_origins(name: str, fitted: Pipeline, columns: list[str]) -> Iterator[tuple[str, str]]:
    if name == NOMINAL:
        for column, levels in zip(columns, fitted.named_steps["encode"].categories_, strict=True):
            yield from ((column, str(level)) for level in levels)
        return
    yield from ((column, "") for column in columns)
    imputer = fitted.named_steps["impute"]
    if imputer.add_indicator:
        yield from ((columns[place], MISSING_LEVEL) for place in imputer.indicator_.features_)


def _make_number_pipeline(settings: PreprocessingSettings) -> Pipeline:
    return Pipeline([("impute", _make_median_imputer(settings)), *_make_scaling_steps(settings)])


def _make_log_pipeline(settings: PreprocessingSettings) -> Pipeline:
    log = FunctionTransformer(log_of_positive, feature_names_out="one-to-one")
    return Pipeline(
        [("log", log), ("impute", _make_median_imputer(settings)), *_make_scaling_steps(settings)]
    )


def _make_word_pipeline() -> Pipeline:
    # a column without any word is a category of its own, called by the imputer's constant
    imputer = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline([("words", _make_object_converter()), ("impute", imputer), ("encode", encoder)])


def _make_level_pipeline(levels: tuple[str, ...], settings: PreprocessingSettings) -> Pipeline:
    encoder = OrdinalEncoder(
        categories=[list(levels)], handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    imputer = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    steps = [("words", _make_object_converter()), ("encode", encoder), ("impute", imputer)]
    return Pipeline([*steps, *_make_scaling_steps(settings)])


def _make_object_converter() -> FunctionTransformer:
    return FunctionTransformer(words_as_objects, feature_names_out="one-to-one")


def _make_median_imputer(settings: PreprocessingSettings) -> SimpleImputer:
    return SimpleImputer(
        strategy="median", keep_empty_features=True, add_indicator=settings.missing_indicator
    )


def _make_scaling_steps(settings: PreprocessingSettings) -> list[tuple[str, Any]]:
    if settings.scaling == "none":
        return []
    return [("scale", StandardScaler() if settings.scaling == "standard" else RobustScaler())]


# Fitted preprocessing as operations on whole tables.
#
# What `clientela.features.preprocessing` fits is a tree of scikit-learn transformers over a DataFrame,
# which takes longer to walk for one case than any model does to answer. Here each fitted step becomes
# one function over all its columns at once, with the same arithmetic; a step that is not known leaves
# the whole to scikit-learn.


Block: TypeAlias = Any
"""Columns of one sort: `Floats` (columns x cases), or a list of `Words`."""

BlockStep: TypeAlias = Callable[[Block], Block]
Preprocessing: TypeAlias = Callable[[Features], Floats]


def build_preprocessing(fitted: ColumnTransformer, layout: FeatureLayout) -> Preprocessing | None:
    """Fitted preprocessing over features.

    Returns:
        From features to the matrix (cases x columns) that the model sees; None where a step is
        not known.
    """
    blocks = []
    for name, transformer, columns in fitted.transformers_:
        if name == "remainder" or not len(columns):
            continue
        steps = _build_block_steps(transformer, words=columns[0] not in layout.rows)
        if steps is None:
            return None
        blocks.append((_make_block_reader(layout, list(columns)), steps))

    def preprocessed(features: Features) -> Floats:
        parts = []
        with np.errstate(over="ignore"):  # an amount beyond all measure is bounded in the end
            for read, steps in blocks:
                block = read(features)
                for step in steps:
                    block = step(block)
                parts.append(block)
        return np.ascontiguousarray(limit_to_float32(np.concatenate(parts)).T)

    return preprocessed


def _make_block_reader(layout: FeatureLayout, names: Sequence[str]) -> Callable[[Features], Block]:
    if names[0] in layout.rows:
        places = layout.places(names)
        return lambda features: features.numbers[places]
    return lambda features: [features.words[name] for name in names]


def _build_block_steps(transformer: Any, *, words: bool) -> list[BlockStep] | None:
    """The steps of one group of columns; None where one is not known."""
    steps: list[BlockStep] = []
    for fitted in transformer if isinstance(transformer, Pipeline) else [transformer]:
        step = _build_words_step(fitted) if words else _build_numbers_step(fitted)
        if step is None:
            return None
        steps.append(step)
        # encoders are where words become numbers
        words = words and not isinstance(fitted, OneHotEncoder | OrdinalEncoder)
    return None if words else steps


@singledispatch
def _build_words_step(fitted: Any) -> BlockStep | None:
    """A step that reads words."""
    del fitted
    return None


@_build_words_step.register
def _build_identity_step(fitted: FunctionTransformer) -> BlockStep | None:
    return (lambda block: block) if fitted.func is words_as_objects else None


@_build_words_step.register
def _build_word_imputer(fitted: SimpleImputer) -> BlockStep | None:
    if fitted.add_indicator:
        return None
    usual: list[str] = fitted.statistics_.tolist()

    def imputed(block: list[Words]) -> list[Words]:
        return [
            [typical if word is None else word for word in words]
            for words, typical in zip(block, usual, strict=True)
        ]

    return imputed


@_build_words_step.register
def _build_one_hot_step(fitted: OneHotEncoder) -> BlockStep | None:
    if fitted.handle_unknown != "ignore" or fitted.drop_idx_ is not None:
        return None
    if any(found is not None for found in getattr(fitted, "infrequent_categories_", ())):
        return None
    sizes = [len(levels) for levels in fitted.categories_]
    starts = np.cumsum([0, *sizes])
    width = int(starts[-1])
    # words that were never seen go to one more row, which is cut off
    places = [
        {word: start + place for place, word in enumerate(levels.tolist())}
        for levels, start in zip(fitted.categories_, starts[:-1].tolist(), strict=True)
    ]

    def encoded(block: list[Words]) -> Floats:
        table = np.zeros((width + 1, len(block[0])))
        cases = np.arange(len(block[0]))
        for words, known in zip(block, places, strict=True):
            table[[known.get(word, width) for word in words], cases] = 1.0
        return table[:width]

    return encoded


@_build_words_step.register
def _build_ordinal_step(fitted: OrdinalEncoder) -> BlockStep | None:
    if not (fitted.handle_unknown == "use_encoded_value" and np.isnan(fitted.unknown_value)):
        return None
    codes = [
        {word: float(code) for code, word in enumerate(levels.tolist())}
        for levels in fitted.categories_
    ]

    def encoded(block: list[Words]) -> Floats:
        rows = [
            [known.get(word, np.nan) for word in words]
            for words, known in zip(block, codes, strict=True)
        ]
        return np.array(rows, dtype=np.float64)

    return encoded


@singledispatch
def _build_numbers_step(fitted: Any) -> BlockStep | None:
    """A step that reads numbers."""
    del fitted
    return None


@_build_numbers_step.register
def _build_log_step(fitted: FunctionTransformer) -> BlockStep | None:
    if fitted.func is not log_of_positive:
        return None
    return lambda numbers: np.log1p(np.maximum(numbers, 0.0))


@_build_numbers_step.register
def _build_number_imputer(fitted: SimpleImputer) -> BlockStep | None:
    if fitted.statistics_.dtype.kind != "f" or np.isnan(fitted.statistics_).any():
        return None
    typical = fitted.statistics_[:, None]
    told = fitted.indicator_.features_ if fitted.add_indicator else None

    def imputed(numbers: Floats) -> Floats:
        missing = np.isnan(numbers)
        complete = np.where(missing, typical, numbers)
        return complete if told is None else np.concatenate([complete, missing[told]])

    return imputed


@_build_numbers_step.register
def _build_standard_scaler_step(fitted: StandardScaler) -> BlockStep | None:
    # the mean is learned even where it is not taken off
    return _build_scaling_step(fitted.mean_ if fitted.with_mean else None, fitted.scale_)


@_build_numbers_step.register
def _build_robust_scaler_step(fitted: RobustScaler) -> BlockStep | None:
    if fitted.unit_variance:
        return None
    return _build_scaling_step(fitted.center_, fitted.scale_)


def _build_scaling_step(centre: Floats | None, scale: Floats | None) -> BlockStep | None:
    if centre is None or scale is None:
        return None
    middle, width = centre[:, None], scale[:, None]
    return lambda numbers: (numbers - middle) / width
