"""How decisions and mistakes differ between groups of people.

The table shows what the data can show: who is selected, and who is wronged by mistakes. Whether a
difference is justified is for people to say.
"""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt, model_validator

from clientela.arrays import Codes
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.models.metrics import compute_wilson_intervals, ratio
from clientela.settings_base import FrozenSettings

# More groups than this are a number that needs bands, or a key.
MAX_GROUPS = 25

MISSING_GROUP = "sin dato"


class SensitiveColumn(FrozenSettings):
    """How the groups of one column are formed.

    Attributes:
        bands: Lower ends of the bands of a numeric column, the first band lying below the first
            of them; empty where each distinct value is a group.
    """

    bands: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _check_bands_increase(self) -> Self:
        if not (np.diff(self.bands) > 0).all():
            raise ValueError(f"bands must increase strictly, got {list(self.bands)}")
        return self


def assign_sensitive_groups(
    people: pd.DataFrame, columns: Mapping[str, SensitiveColumn]
) -> "dict[str, pd.Series[Any]]":
    """The group of each row, for each sensitive column.

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
        name: _group_by_bands(people[name], how.bands)
        if how.bands
        else _group_by_values(people[name])
        for name, how in columns.items()
    }


def _group_by_bands(column: "pd.Series[Any]", bands: tuple[float, ...]) -> "pd.Series[Any]":
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
    return _make_group_categories(np.where(np.isnan(values), -1, places), order)


def _group_by_values(column: "pd.Series[Any]") -> "pd.Series[Any]":
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
    return _make_group_categories(places.astype(np.int64), order)


def _make_group_categories(places: Codes, order: list[str]) -> "pd.Series[Any]":
    """Categories at these places; -1 is nobody's and means missing."""
    labels = np.asarray([*order, MISSING_GROUP], dtype=object)
    return pd.Series(pd.Categorical(labels[places], categories=labels, ordered=True))


# Least ratio of selection rates without adverse impact (29 CFR 1607.4 D, 1978).
FOUR_FIFTHS = 0.8

# What a row of the table can say, and what that means.
VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "most_favoured": "its selection rate is the highest: the others are compared with it",
        "within": "its selection rate is at least the limit times the highest",
        "below": "its selection rate is less than the limit times the highest",
        "too_few_rows": "too few rows to say anything; its rates are not shown",
        "nobody_selected": "no group has anybody selected, so there is nothing to compare",
    }
)


class FairnessSettings(FrozenSettings):
    """Which groups of people are compared, and how.

    Attributes:
        columns: Sensitive column to how its groups are formed.
        favourable: The decision that people hope for, as a code: 1 where class 1 is a granted
            loan, 0 where class 1 is a refusal.
        minimum_group: Fewest rows of a group whose rates are shown and compared.
        limit: Least ratio of selection rates that passes.
    """

    columns: dict[str, SensitiveColumn] = {}
    favourable: Literal[0, 1] = 1
    minimum_group: PositiveInt = 30
    limit: float = Field(FOUR_FIFTHS, gt=0, le=1)


def fairness_table(
    y_true: Codes, y_pred: Codes, people: pd.DataFrame, settings: FairnessSettings
) -> pd.DataFrame:
    """One row per group of each sensitive column.

    Returns:
        `column`, `group`, `rows`, `deserving_share` (truth is the favourable class),
        `selection_rate` (decision is favourable) with its 95 % interval `selection_lower`,
        `selection_upper`; `true_positive_rate` (selected among the deserving: equal opportunity),
        `false_positive_rate` (selected among the others); `selection_ratio`, `tpr_gap`, `fpr_gap`
        against the most favoured group with enough rows; `verdict`, a key of `VERDICTS`.

    Raises:
        ConfigurationError: A column is absent, can't be banded, or has too many groups.
    """
    truth, decided = (
        (np.asarray(codes) == settings.favourable).astype(np.int64) for codes in (y_true, y_pred)
    )
    tables = [
        _compare_groups(_compute_group_rates(truth, decided, groups), settings).assign(column=name)
        for name, groups in assign_sensitive_groups(people, settings.columns).items()
    ]
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(tables).rename_axis("group").reset_index()[list(COLUMNS)]


# Columns of the fairness table.
COLUMNS = (
    "column",
    "group",
    "rows",
    "deserving_share",
    "selection_rate",
    "selection_lower",
    "selection_upper",
    "true_positive_rate",
    "false_positive_rate",
    "selection_ratio",
    "tpr_gap",
    "fpr_gap",
    "verdict",
)

RATES = COLUMNS[3:9]

ERROR_RATES = ("true_positive_rate", "false_positive_rate")


def _compute_group_rates(truth: Codes, decided: Codes, groups: "pd.Series[Any]") -> pd.DataFrame:
    """Rows, shares and rates of each group that has rows, in the order of the groups."""
    from fairlearn.metrics import (  # noqa: PLC0415 - servers read the settings, and compare nobody
        MetricFrame,
        count,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )

    frame = MetricFrame(
        metrics={
            "rows": count,
            "deserving_share": lambda y_true, y_pred: np.mean(y_true),  # noqa: ARG005
            "selection_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
            "false_positive_rate": false_positive_rate,
        },
        y_true=truth,
        y_pred=decided,
        sensitive_features=groups.astype(object).rename("group"),
    )
    table: pd.DataFrame = frame.by_group.astype(np.float64)
    table = table.reindex([name for name in groups.cat.categories if name in table.index])
    selected = (table["selection_rate"] * table["rows"]).round().to_numpy()
    lower, upper = compute_wilson_intervals(selected, table["rows"].to_numpy())
    deserving, tpr, fpr = (table[name] for name in ("deserving_share", *ERROR_RATES))
    return table.assign(
        rows=table["rows"].astype(np.int64),
        selection_lower=lower,
        selection_upper=upper,
        # fairlearn says 0 where nobody deserves, or everybody does
        true_positive_rate=tpr.where(deserving > 0),
        false_positive_rate=fpr.where(deserving < 1),
    )


def _compare_groups(table: pd.DataFrame, settings: FairnessSettings) -> pd.DataFrame:
    """The rates beside those of the most favoured group, small groups left blank."""
    enough = (table["rows"] >= settings.minimum_group).to_numpy()
    shown = table.assign(**{name: table[name].where(enough) for name in RATES})
    rates = shown["selection_rate"].to_numpy()
    best = int(np.argmax(np.where(enough, rates, -1.0)))
    highest, tpr, fpr = shown.iloc[best][["selection_rate", *ERROR_RATES]]
    ratios = ratio(rates, np.asarray(highest), empty=np.nan)
    verdicts = np.select(
        [~enough, np.isnan(ratios), np.arange(len(rates)) == best, ratios < settings.limit],
        ["too_few_rows", "nobody_selected", "most_favoured", "below"],
        "within",
    )
    return shown.assign(
        selection_ratio=ratios,
        tpr_gap=shown["true_positive_rate"] - tpr,
        fpr_gap=shown["false_positive_rate"] - fpr,
        verdict=verdicts,
    )
