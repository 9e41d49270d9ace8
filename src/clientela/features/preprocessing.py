"""Fitted preprocessing: imputation, encoding and scaling, learned in training and nowhere else.

The required form: median for numbers, the most frequent word and one column per word for categories
(unknown words become no column), codes for words with an order. It goes into one scikit-learn
pipeline with its model, so that training and inference can't differ.

A fitted pipeline over a DataFrame takes longer to walk for one case than any model does to answer.
`build_preprocessing` therefore makes one NumPy function of each fitted step, over all its columns
at once and with the same arithmetic; a step that is not known leaves the whole to scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
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
from clientela.features.table_settings import TabularSchema
from clientela.settings_base import FrozenSettings

NUMERIC, LOGGED, NOMINAL, ORDINAL = "numeric", "logged", "nominal", "ordinal"
MISSING_LEVEL = "ausente"


class PreprocessingSettings(FrozenSettings):
    """How features become the numbers that a model is fitted on.

    Attributes:
        scaling: `standard` (mean and deviation), `robust` (median and quartiles), or `none`. One
            column per word is never scaled.
        logged: Numeric features that enter as log(1 + x), negative ones counting as 0.
        missing_indicator: Whether a column tells where a number was imputed, for each number that
            is missing somewhere in the training data.
    """

    scaling: Literal["none", "standard", "robust"] = "none"
    logged: tuple[str, ...] = ()
    missing_indicator: bool = False


@dataclass(frozen=True)
class ColumnsAmong:
    """Selects the named columns that a table has: one recipe serves any group of features."""

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
    """
    for name in settings.logged:
        if name not in schema.numeric:
            raise ConfigurationError(
                f"preprocessing.logged: {name!r} is no numeric feature. "
                f"{did_you_mean(name, schema.numeric)}"
            )
    plain = tuple(name for name in schema.numeric if name not in settings.logged)
    log = FunctionTransformer(log_of_positive, feature_names_out="one-to-one")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    # a column without any word is a category of its own, called by the imputer's constant
    words = [_make_word_converter(), ("impute", _make_word_imputer()), ("encode", encoder)]
    parts = [
        (NUMERIC, _make_number_pipeline(settings), ColumnsAmong(plain)),
        (LOGGED, _make_number_pipeline(settings, ("log", log)), ColumnsAmong(settings.logged)),
        (NOMINAL, Pipeline(words), ColumnsAmong(schema.categorical)),
    ]
    for name, levels in schema.ordinal.items():
        codes = OrdinalEncoder(
            categories=[list(levels)], handle_unknown="use_encoded_value", unknown_value=np.nan
        )
        steps = [_make_word_converter(), ("encode", codes), ("impute", _make_word_imputer())]
        pipeline = Pipeline([*steps, *_make_scaling_steps(settings)])
        parts.append((f"{ORDINAL}_{name}", pipeline, ColumnsAmong((name,))))
    return ColumnTransformer(parts, remainder="drop", sparse_threshold=0.0)


def _make_number_pipeline(settings: PreprocessingSettings, *first: tuple[str, Any]) -> Pipeline:
    imputer = SimpleImputer(
        strategy="median", keep_empty_features=True, add_indicator=settings.missing_indicator
    )
    return Pipeline([*first, ("impute", imputer), *_make_scaling_steps(settings)])


def _make_word_converter() -> tuple[str, Any]:
    return "words", FunctionTransformer(words_as_objects, feature_names_out="one-to-one")


def _make_word_imputer() -> SimpleImputer:
    return SimpleImputer(strategy="most_frequent", keep_empty_features=True)


def _make_scaling_steps(settings: PreprocessingSettings) -> list[tuple[str, Any]]:
    if settings.scaling == "none":
        return []
    return [("scale", StandardScaler() if settings.scaling == "standard" else RobustScaler())]


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
    rows: list[tuple[str, str]] = []
    for name, transformer, selected in fitted.transformers_:
        columns = [] if name == "remainder" else list(selected)
        if name == NOMINAL and columns:
            categories = transformer.named_steps["encode"].categories_
            for column, levels in zip(columns, categories, strict=True):
                rows += [(column, str(level)) for level in levels]
            continue
        rows += [(column, "") for column in columns]
        imputer = transformer.named_steps["impute"] if columns else None
        if imputer is not None and imputer.add_indicator:
            rows += [(columns[place], MISSING_LEVEL) for place in imputer.indicator_.features_]
    origins = pd.DataFrame(rows, columns=["feature", "level"]).astype("str")
    origins.insert(0, "output", pd.Series(fitted.get_feature_names_out()).astype("str"))
    return origins


# Columns of one sort: `Floats` (columns x cases), or a list of `Words`.
Block: TypeAlias = Any

BlockStep: TypeAlias = Callable[[Block], Block]
Preprocessing: TypeAlias = Callable[[Features], Floats]


def build_preprocessing(fitted: ColumnTransformer, layout: FeatureLayout) -> Preprocessing | None:
    """Fitted preprocessing over features.

    Returns:
        From features to the matrix (cases x columns) that the model sees; None where a step is
        not known.
    """
    blocks: list[tuple[list[str], NDArray[np.intp] | None, list[BlockStep]]] = []
    for name, transformer, columns in fitted.transformers_:
        if name == "remainder" or not len(columns):
            continue
        places = layout.places(columns) if columns[0] in layout.rows else None
        steps = _build_block_steps(transformer, words=places is None)
        if steps is None:
            return None
        blocks.append((list(columns), places, steps))

    def transform(features: Features) -> Floats:
        parts = []
        with np.errstate(over="ignore"):  # an amount beyond all measure is bounded in the end
            for names, places, steps in blocks:
                block: Block = (
                    [features.words[name] for name in names]
                    if places is None
                    else features.numbers[places]
                )
                for step in steps:
                    block = step(block)
                parts.append(block)
        return np.ascontiguousarray(limit_to_float32(np.concatenate(parts)).T)

    return transform


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
    typical: list[str] = fitted.statistics_.tolist()

    def impute(block: list[Words]) -> list[Words]:
        return [
            [usual if word is None else word for word in words]
            for words, usual in zip(block, typical, strict=True)
        ]

    return impute


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

    def encode(block: list[Words]) -> Floats:
        table = np.zeros((width + 1, len(block[0])))
        cases = np.arange(len(block[0]))
        for words, known in zip(block, places, strict=True):
            table[[known.get(word, width) for word in words], cases] = 1.0
        return table[:width]

    return encode


@_build_words_step.register
def _build_ordinal_step(fitted: OrdinalEncoder) -> BlockStep | None:
    if not (fitted.handle_unknown == "use_encoded_value" and np.isnan(fitted.unknown_value)):
        return None
    codes = [
        {word: float(code) for code, word in enumerate(levels.tolist())}
        for levels in fitted.categories_
    ]

    def encode(block: list[Words]) -> Floats:
        rows = [
            [known.get(word, np.nan) for word in words]
            for words, known in zip(block, codes, strict=True)
        ]
        return np.array(rows, dtype=np.float64)

    return encode


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
    flagged = fitted.indicator_.features_ if fitted.add_indicator else None

    def impute(numbers: Floats) -> Floats:
        missing = np.isnan(numbers)
        complete = np.where(missing, typical, numbers)
        return complete if flagged is None else np.concatenate([complete, missing[flagged]])

    return impute


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
