"""Fitted preprocessing as operations on whole tables.

What `clientela.tabular.preprocessing` fits is a tree of scikit-learn transformers over a DataFrame,
which takes longer to walk for one case than any model does to answer. Here each fitted step becomes
one function over all its columns at once, with the same arithmetic; a step that is not known leaves
the whole to scikit-learn.
"""

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any, TypeAlias

import numpy as np
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

from clientela.classification.codes import Floats
from clientela.inference.features import Features, Layout, Words, bounded
from clientela.tabular.preprocessing import log_of_positive, words_as_objects

Block: TypeAlias = Any
"""Columns of one sort: `Floats` (columns x cases), or a list of `Words`."""

BlockStep: TypeAlias = Callable[[Block], Block]
Preprocessing: TypeAlias = Callable[[Features], Floats]


def compiled_preprocessing(fitted: ColumnTransformer, layout: Layout) -> Preprocessing | None:
    """Fitted preprocessing over features.

    Args:
        fitted: See `clientela.tabular.preprocessing.preprocessor`.
        layout: Where its columns stand.

    Returns:
        From features to the matrix (cases x columns) that the model sees; None where a step is
        not known.
    """
    blocks = []
    for name, transformer, columns in fitted.transformers_:
        if name == "remainder" or not len(columns):
            continue
        steps = _steps(transformer, words=columns[0] not in layout.rows)
        if steps is None:
            return None
        blocks.append((_reader(layout, list(columns)), steps))

    def preprocessed(features: Features) -> Floats:
        parts = []
        with np.errstate(over="ignore"):  # an amount beyond all measure is bounded in the end
            for read, steps in blocks:
                block = read(features)
                for step in steps:
                    block = step(block)
                parts.append(block)
        return np.ascontiguousarray(bounded(np.concatenate(parts)).T)

    return preprocessed


def _reader(layout: Layout, names: Sequence[str]) -> Callable[[Features], Block]:
    if names[0] in layout.rows:
        places = layout.places(names)
        return lambda features: features.numbers[places]
    return lambda features: [features.words[name] for name in names]


def _steps(transformer: Any, *, words: bool) -> list[BlockStep] | None:
    """The steps of one group of columns; None where one is not known."""
    steps: list[BlockStep] = []
    for fitted in transformer if isinstance(transformer, Pipeline) else [transformer]:
        step = _words_step(fitted) if words else _numbers_step(fitted)
        if step is None:
            return None
        steps.append(step)
        # encoders are where words become numbers
        words = words and not isinstance(fitted, OneHotEncoder | OrdinalEncoder)
    return None if words else steps


@singledispatch
def _words_step(fitted: Any) -> BlockStep | None:
    """A step that reads words."""
    del fitted
    return None


@_words_step.register
def _same_words(fitted: FunctionTransformer) -> BlockStep | None:
    return (lambda block: block) if fitted.func is words_as_objects else None


@_words_step.register
def _imputed_words(fitted: SimpleImputer) -> BlockStep | None:
    if fitted.add_indicator:
        return None
    usual: list[str] = fitted.statistics_.tolist()

    def imputed(block: list[Words]) -> list[Words]:
        return [
            [typical if word is None else word for word in words]
            for words, typical in zip(block, usual, strict=True)
        ]

    return imputed


@_words_step.register
def _one_hot(fitted: OneHotEncoder) -> BlockStep | None:
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


@_words_step.register
def _levels(fitted: OrdinalEncoder) -> BlockStep | None:
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
def _numbers_step(fitted: Any) -> BlockStep | None:
    """A step that reads numbers."""
    del fitted
    return None


@_numbers_step.register
def _logs(fitted: FunctionTransformer) -> BlockStep | None:
    if fitted.func is not log_of_positive:
        return None
    return lambda numbers: np.log1p(np.maximum(numbers, 0.0))


@_numbers_step.register
def _imputed_numbers(fitted: SimpleImputer) -> BlockStep | None:
    if fitted.statistics_.dtype.kind != "f" or np.isnan(fitted.statistics_).any():
        return None
    typical = fitted.statistics_[:, None]
    told = fitted.indicator_.features_ if fitted.add_indicator else None

    def imputed(numbers: Floats) -> Floats:
        missing = np.isnan(numbers)
        complete = np.where(missing, typical, numbers)
        return complete if told is None else np.concatenate([complete, missing[told]])

    return imputed


@_numbers_step.register
def _standardised(fitted: StandardScaler) -> BlockStep | None:
    # the mean is learned even where it is not taken off
    return _scaled(fitted.mean_ if fitted.with_mean else None, fitted.scale_)


@_numbers_step.register
def _robustly_scaled(fitted: RobustScaler) -> BlockStep | None:
    if fitted.unit_variance:
        return None
    return _scaled(fitted.center_, fitted.scale_)


def _scaled(centre: Floats | None, scale: Floats | None) -> BlockStep | None:
    if centre is None or scale is None:
        return None
    middle, width = centre[:, None], scale[:, None]
    return lambda numbers: (numbers - middle) / width
