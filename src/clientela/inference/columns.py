"""Cases as columns: from JSON values and from tables to what a scorer reads."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from string import whitespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from clientela.classification.codes import Floats
from clientela.exceptions import CaseRefused, did_you_mean
from clientela.inference.fields import Column, InputField
from clientela.inference.readings import moment_of, word_of

NUMBERS = ("number", "integer")


def columns_of(
    cases: Sequence[Mapping[str, Any]], fields: Sequence[InputField]
) -> dict[str, Column]:
    """Cases as columns.

    Args:
        cases: Field to its JSON value, valid for its kind; a field that is absent or None is
            missing.
        fields: Which ones.

    Returns:
        Field to its values, in the order of the cases.
    """
    numbers = [field.name for field in fields if field.kind in NUMBERS]
    columns: dict[str, Column] = dict(zip(numbers, _numbers(cases, numbers), strict=True))
    for field in fields:
        if field.kind == "word":
            columns[field.name] = _words([case.get(field.name) for case in cases])
        elif field.kind == "moment":
            columns[field.name] = _moments(case.get(field.name) for case in cases)
    return columns


def _numbers(cases: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Floats:
    """Fields x cases."""
    if not names:
        return np.empty((0, len(cases)))
    values_of = itemgetter(*names)
    try:
        rows = [values_of(case) for case in cases]
    except KeyError:
        rows = [tuple(case.get(name) for name in names) for case in cases]
    table = np.array(rows, dtype=np.float64).reshape(len(cases), len(names))
    return _finite(np.ascontiguousarray(table.T))


def _finite(numbers: Floats) -> Floats:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _words(values: Sequence[object]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    # most words are text, and asking first saves a call for each
    column[:] = [
        value.strip(whitespace) or None if type(value) is str else word_of(value)
        for value in values
    ]
    return column


def _moments(values: Iterable[object]) -> NDArray[np.datetime64]:
    return np.array([moment_of(value) or "NaT" for value in values], dtype="datetime64[us]")


def columns_of_frame(frame: pd.DataFrame, fields: Sequence[InputField]) -> dict[str, Column]:
    """A table of cases as columns; other columns than the fields are left alone.

    Args:
        frame: One row per case, typed or all text, as a CSV is read.
        fields: Which columns.

    Returns:
        Field to its values, in the order of the rows.

    Raises:
        CaseRefused: A required column is absent, or holds what its kind can't be.
    """
    return {field.name: _column(frame, field) for field in fields}


def _column(frame: pd.DataFrame, field: InputField) -> Column:
    if field.name not in frame.columns:
        if field.required:
            raise CaseRefused(
                f"Every case needs the column {field.name!r}, which the table does not have. "
                f"{did_you_mean(field.name, map(str, frame.columns))}"
            )
        return _read(pd.Series(None, index=frame.index, dtype=object), field)
    return _read(frame[field.name], field)


def _read(column: "pd.Series[Any]", field: InputField) -> Column:
    typed = is_numeric_dtype(column) or is_bool_dtype(column)
    if field.kind == "word":
        return _words(_values(column))
    if field.kind == "moment":
        if typed and column.notna().any():
            raise _refused(column, field, "dates or moments in ISO form")
        return _moments(_values(column))
    if typed:
        return _finite(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return _written_numbers(column, field)


def _written_numbers(column: "pd.Series[Any]", field: InputField) -> Floats:
    words = pd.Series(_words(_values(column)), dtype=object)
    numbers = pd.to_numeric(words, errors="coerce")
    strange = words[numbers.isna() & words.notna()].str.casefold()
    if is_datetime64_any_dtype(column) or not strange.isin(["nan", "inf", "-inf"]).all():
        raise _refused(column, field, "numbers")
    return _finite(numbers.to_numpy(dtype=np.float64))


def _values(column: "pd.Series[Any]") -> list[Any]:
    """Python values, with None for whatever is missing."""
    objects = column.astype(object)
    found: list[Any] = objects.where(column.notna(), None).tolist()
    return found


def _refused(column: "pd.Series[Any]", field: InputField, expected: str) -> CaseRefused:
    return CaseRefused(
        f"The column {field.name!r} should hold {expected}; it holds {column.dtype}, and not all "
        f"of its {column.notna().sum()} values can be read as such. Correct them, or leave those "
        "cells empty."
    )
