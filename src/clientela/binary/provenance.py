"""Which column of the data each column of a preprocessed table comes from.

A reason must name what a person can look up: `tipo_laboral`, not `nominal__tipo_laboral_Empleado`.
The answer is read from the structure of the fitted transformers. Names would not do: `edad_x` may
be a category of `edad`, or a column.
"""

import copy
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from clientela.exceptions import ConfigurationError


@singledispatch
def source_columns(transformer: Any, columns: Sequence[str], n_out: int) -> list[str]:
    """The source of each output column of a fitted transformer.

    Known are pipelines, column transformers, imputers with indicators, one-hot encoders, and every
    transformer that gives one column for each, or reads a single one.

    Args:
        transformer: Fitted, or `passthrough`.
        columns: Sources of its input columns; a source may repeat.
        n_out: Number of its output columns.

    Returns:
        One source for each output column.

    Raises:
        ConfigurationError: The transformer mixes columns in a way that is not known.
    """
    if n_out == len(columns):
        return list(columns)
    if len(set(columns)) == 1:
        return [columns[0]] * n_out
    raise ConfigurationError(
        f"{type(transformer).__name__} makes {n_out} columns of {len(columns)}, and nothing says "
        "which comes from which, so reasons can't be given. Give it one column at a time, or use "
        "another transformer."
    )


@source_columns.register
def _of_pipeline(transformer: Pipeline, columns: Sequence[str], n_out: int) -> list[str]:
    sources, seen = list(columns), getattr(transformer, "feature_names_in_", None)
    names = [f"x{i}" for i in range(len(columns))] if seen is None else list(seen)
    for position, (_, step) in enumerate(transformer.steps, start=1):
        last = position == len(transformer.steps)
        width = n_out if last else len(transformer[:position].get_feature_names_out(names))
        sources = source_columns(step, sources, width)
    return sources


@source_columns.register
def _of_column_transformer(
    transformer: ColumnTransformer, columns: Sequence[str], n_out: int
) -> list[str]:
    sources = [""] * n_out
    known = list(getattr(transformer, "feature_names_in_", range(len(columns))))
    for name, part, chosen in transformer.transformers_:
        place = transformer.output_indices_[name]
        if place.stop == place.start:
            continue
        given = [columns[i] for i in _positions(chosen, known)]
        sources[place] = source_columns(part, given, place.stop - place.start)
    return sources


def _positions(chosen: Any, known: list[Any]) -> list[int]:
    """Where the columns of one part stand, whether it names, numbers or masks them."""
    if isinstance(chosen, slice):
        return list(range(len(known))[chosen])
    entries = np.atleast_1d(np.asarray(chosen, dtype=object))
    if all(isinstance(entry, bool | np.bool_) for entry in entries):
        return np.flatnonzero(entries).tolist()
    return [entry if isinstance(entry, int) else known.index(entry) for entry in entries]


@source_columns.register
def _of_imputer(transformer: SimpleImputer, columns: Sequence[str], n_out: int) -> list[str]:
    """Columns without any value are dropped unless kept as empty; indicators come behind."""
    empty = np.asarray([_is_missing(entry) for entry in transformer.statistics_])
    kept = [name for name, gone in zip(columns, empty, strict=True) if not gone]
    values = list(columns) if transformer.keep_empty_features else kept
    flagged = transformer.indicator_.features_ if transformer.add_indicator else ()
    return [*values, *(columns[i] for i in flagged)] if n_out else []


def _is_missing(entry: Any) -> bool:
    return entry is None or entry != entry  # noqa: PLR0124 - only nan differs from itself


@source_columns.register
def _of_one_hot(transformer: OneHotEncoder, columns: Sequence[str], n_out: int) -> list[str]:
    """As many times each column as it has categories left, dropped and rare ones considered."""
    namer = copy.copy(transformer).set_params(feature_name_combiner=lambda feature, _: feature)
    names = list(getattr(transformer, "feature_names_in_", (f"x{i}" for i in range(len(columns)))))
    places = {name: place for place, name in enumerate(names)}
    return [columns[places[name]] for name in namer.get_feature_names_out(names)][:n_out]
