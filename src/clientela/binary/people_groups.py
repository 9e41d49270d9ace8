"""Groups of people, from the sensitive columns of a table."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from clientela.classification.codes import Codes
from clientela.exceptions import ConfigurationError, did_you_mean

MAX_GROUPS = 25
"""More groups than this are a number that needs bands, or a key."""

MISSING_GROUP = "sin dato"


class SensitiveColumn(BaseModel):
    """How the groups of one column are formed.

    Attributes:
        bands: Lower ends of the bands of a numeric column, the first band lying below the first
            of them; empty where each distinct value is a group.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bands: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _bands_increase(self) -> Self:
        if not (np.diff(self.bands) > 0).all():
            raise ValueError(f"bands must increase strictly, got {list(self.bands)}")
        return self


def people_groups(
    people: pd.DataFrame, columns: Mapping[str, SensitiveColumn]
) -> "dict[str, pd.Series[Any]]":
    """The group of each row, for each sensitive column.

    Args:
        people: One row per person.
        columns: Sensitive column to how its groups are formed.

    Returns:
        Column to ordered categories; people without a value are the last group.

    Raises:
        ConfigurationError: A column is absent, can't be banded, or has too many groups.
    """
    for name in columns:
        if name not in people.columns:
            raise ConfigurationError(
                f"fairness.columns names {name!r}, which is no sensitive column of this use case. "
                f"{did_you_mean(name, map(str, people.columns))}"
            )
    return {
        name: _banded(people[name], how.bands) if how.bands else _distinct(people[name])
        for name, how in columns.items()
    }


def _banded(column: "pd.Series[Any]", bands: tuple[float, ...]) -> "pd.Series[Any]":
    """Bands are closed below and open above."""
    if not pd.api.types.is_numeric_dtype(column):
        raise ConfigurationError(
            f"fairness.columns.{column.name}.bands needs numbers, but the column holds "
            f"{column.dtype}. Remove the bands to compare its distinct values."
        )
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    inner = [f"[{low:g}, {high:g})" for low, high in pairwise(bands)]
    order = [f"<{bands[0]:g}", *inner, f">={bands[-1]:g}"]
    places = np.searchsorted(bands, values, side="right")
    return _ordered(np.where(np.isnan(values), -1, places), order)


def _distinct(column: "pd.Series[Any]") -> "pd.Series[Any]":
    known = column[column.notna() & (column != MISSING_GROUP)]
    # numbers before words, so that one column may hold both
    values = sorted(known.unique(), key=lambda value: (isinstance(value, str), value))
    if len(values) > MAX_GROUPS:
        raise ConfigurationError(
            f"fairness.columns.{column.name} has {len(values)} distinct values, and groups of "
            f"people are at most {MAX_GROUPS}. Give it bands, for example bands: [25, 40, 60]."
        )
    order = list(dict.fromkeys(map(str, values)))
    places = pd.Index(order).get_indexer(pd.Index(column.map(str)))
    return _ordered(places.astype(np.int64), order)


def _ordered(places: Codes, order: list[str]) -> "pd.Series[Any]":
    """Categories at these places; -1 is nobody's and means missing."""
    labels = np.asarray([*order, MISSING_GROUP], dtype=object)
    return pd.Series(pd.Categorical(labels[places], categories=labels, ordered=True))
