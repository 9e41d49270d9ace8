"""What a model asks of each case, from the rules of its table and the rows that it learned from."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from clientela.inference.fields import FieldKind, InputField
from clientela.intake.rules import ColumnRule, IntakeRules
from clientela.modelling.labels import readable
from clientela.tabular.params import TabularFeatureParams

WORDS_LISTED: Final = 100
"""Most words of one field that a manifest lists; a column with more is text that people wrote."""

NO_RULE: Final = ColumnRule(type="text")
"""Of a column that ingestion passes through."""


def table_fields(
    params: TabularFeatureParams,
    rules: IntakeRules,
    train: pd.DataFrame,
    labels: Mapping[str, str],
) -> list[InputField]:
    """One field per column of the table that features are made of.

    What can't be at all, by the rules of ingestion, is refused online too; what can be but is not
    believed is left to cleaning, as in training.

    Args:
        params: Columns and rules.
        rules: Of ingestion.
        train: Training part: columns after cleaning.
        labels: Feature to words for people.

    Returns:
        Fields in the order of `params.inputs`.
    """
    columns = {
        name: rule for table in rules.tables.values() for name, rule in table.columns.items()
    }
    needed = set(params.needed)
    return [
        InputField(
            name=name,
            kind=_kind(name, params, columns.get(name, NO_RULE)),
            required=name in needed,
            description=readable(name, labels),
            **_limits(name, params, columns.get(name, NO_RULE)),
            **_seen(name, params, train),
            missing=_missing(name, params),
        )
        for name in params.inputs
    ]


def number_fields(
    names: Iterable[str],
    rows: pd.DataFrame,
    labels: Mapping[str, str],
    others: Iterable[str] = (),
) -> list[InputField]:
    """One number per feature, for a model whose fields are its features.

    Args:
        names: Features, in the order of fitting; required.
        rows: What the model learned from.
        labels: Feature to words for people.
        others: Features that only other models of the use case read; optional.

    Returns:
        Fields in that order; `integer` where the stored column holds whole numbers by its type.
    """

    def told(name: str) -> dict[str, Any]:
        whole = pd.api.types.is_integer_dtype(rows[name])
        kind = "integer" if whole else "number"
        return {"name": name, "kind": kind, "description": readable(name, labels)}

    return [
        *(InputField(**told(name), required=True, **_range(rows[name])) for name in names),
        *(InputField(**told(name), required=False, read=False) for name in others),
    ]


def fields_of_model(
    fields: Iterable[InputField], features: Iterable[str], sources: Mapping[str, Iterable[str]]
) -> list[InputField]:
    """The fields of a use case as one of its models reads them.

    Args:
        fields: All fields of the table.
        features: Of the model.
        sources: Feature to the columns that it is made of.

    Returns:
        All of them; of those that no feature is made of, nothing was learned.
    """
    read = {column for name in features for column in sources[name]}
    unread = {"read": False, "seen_minimum": None, "seen_maximum": None, "words": ()}
    return [field if field.name in read else field.model_copy(update=unread) for field in fields]


def _kind(name: str, params: TabularFeatureParams, rule: ColumnRule) -> FieldKind:
    if name in params.numeric:
        return "integer" if rule.type == "integer" else "number"
    return "moment" if name in params.dates else "word"


def _limits(name: str, params: TabularFeatureParams, rule: ColumnRule) -> dict[str, Any]:
    names: tuple[Literal["minimum", "maximum", "earliest", "latest"], ...] = ()
    if name in params.numeric:
        names = ("minimum", "maximum")
    elif name in params.dates:
        names = ("earliest", "latest")
    given = {limit: getattr(rule, limit) for limit in names}
    exact = "minimum" in given
    return {
        limit: float(value) if exact else value
        for limit, value in given.items()
        if value is not None
    }


def _missing(name: str, params: TabularFeatureParams) -> str | None:
    words = (*params.categorical, *params.ordinal)
    return params.word_rule(name).missing if name in words else None


def _seen(name: str, params: TabularFeatureParams, train: pd.DataFrame) -> dict[str, Any]:
    if name in params.numeric:
        return _range(train[name])
    if name in params.dates:
        return {}
    words = sorted({str(word) for word in train[name].dropna()})
    return {"words": tuple(words) if len(words) <= WORDS_LISTED else ()}


def _range(column: "pd.Series[Any]") -> dict[str, Any]:
    values = column.dropna().to_numpy(dtype=np.float64)
    if not len(values):
        return {}
    return {"seen_minimum": float(values.min()), "seen_maximum": float(values.max())}
