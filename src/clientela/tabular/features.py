"""Features of each case, as one lazy expression for training and inference.

Ibis and not pandas: tables come from ingestion as Ibis tables, one definition serves every engine,
and a request becomes the same expression over an `ibis.memtable`.
Nothing here learns from other rows; what is fitted (imputation, encoding, scaling) is fitted in
training: see `clientela.tabular.preprocessing`.
"""

from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from clientela.exceptions import ConfigurationError, ScoringDataError, did_you_mean
from clientela.tabular.cleaning import cleaned
from clientela.tabular.enrichment import enriched
from clientela.tabular.labels import USABLE, class_of, status_of
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.readings import as_moment, as_number, as_word


def feature_columns(params: TabularFeatureParams) -> list[str]:
    """Every feature, in the order of the table.

    Args:
        params: Columns and rules.

    Returns:
        The columns of the table that are features, then those made of them.
    """
    return [*params.raw_features, *params.made_numbers, *params.enrichment.categories()]


def columns_beside(params: TabularFeatureParams) -> list[str]:
    """The columns kept beside the features: sensitive ones, and the time.

    Args:
        params: Columns and rules.

    Returns:
        Column names, without those that are features already.
    """
    time = [params.time] if params.time is not None else []
    wanted = dict.fromkeys([*params.sensitive, *time])
    return [name for name in wanted if name not in params.raw_features]


def require_configured_columns(table: ir.Table, params: TabularFeatureParams) -> None:
    """Refuse a configuration that names columns which the table to learn from does not have.

    Args:
        table: One row per case.
        params: Columns and rules.

    Raises:
        ConfigurationError: Names the first, and what it may have meant.
    """
    maturity = params.maturity
    judged = [] if maturity is None or maturity.term_column is None else [maturity.term_column]
    named = dict.fromkeys(
        [
            params.key,
            params.target.column,
            *params.inputs,
            *params.dates,
            *columns_beside(params),
            *judged,
            *params.excluded,
        ]
    )
    absent = [name for name in named if name not in table.columns]
    if absent:
        free = set(table.columns) - set(named)
        raise ConfigurationError(
            f"The features are configured on columns that the table does not have: "
            f"{', '.join(absent)}. {did_you_mean(absent[0], free or table.columns)} Correct the "
            "name in the use case's features, or give the column an ingestion rule."
        )


def case_features(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per case to be scored.

    Args:
        table: One row per case: the key, the needed columns, and any of the others.
        params: Columns and rules.

    Returns:
        The key (PII), each feature (numbers as float64, categories as text, missing where it can't
        be known), and the columns beside: moments, numbers or text.

    Raises:
        ScoringDataError: The key or a needed column is absent.
    """
    _require_needed(table.columns, params)
    return _features(_with_absent(table, params), params, {})


def model_input(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per case that can be learned from.

    Args:
        table: One row per case, with every configured column.
        params: Columns and rules.

    Returns:
        As `case_features`, and the target: the name of the class. Rows without a label, with an
        unknown one or too young to be judged are left out; `row_accounts` counts them.

    Raises:
        ConfigurationError: The table lacks a configured column.
    """
    require_configured_columns(table, params)
    # the status compares with the latest date of all rows, so it is computed before any is left out
    judged = table.mutate(_status=status_of(table, params), _clase=class_of(table, params.target))
    usable = judged.filter(judged["_status"] == USABLE)
    return _features(usable, params, {params.target.column: usable["_clase"]})


def _features(
    table: ir.Table, params: TabularFeatureParams, carried: dict[str, ir.Value]
) -> ir.Table:
    beside = {f"_{name}": _beside(table, name, params) for name in columns_beside(params)}
    carried = {f"_{name}": value for name, value in carried.items()} | beside
    clean = table.select(params.key, **cleaned(table, params), **carried)
    made = enriched(clean, params.enrichment)
    return made.select(
        params.key,
        *params.raw_features,
        **{name: _finite(made[name]) for name in params.made_numbers},
        **{name: made[name] for name in params.enrichment.categories()},
        **{name[1:]: made[name] for name in carried},
    )


def _finite(number: ir.FloatingValue) -> ir.FloatingValue:
    """The number; missing where amounts beyond all measure overflowed."""
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def _beside(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.Value:
    kind = table[name].type()
    if name in params.dates or kind.is_timestamp() or kind.is_date():
        return as_moment(table, name)
    if kind.is_numeric():
        return as_number(table, name)
    return as_word(table, name)


def _require_needed(columns: Iterable[str], params: TabularFeatureParams) -> None:
    given = set(columns)
    absent = [name for name in [params.key, *params.needed] if name not in given]
    if absent:
        raise ScoringDataError(
            f"Cases to be scored need the column(s) {', '.join(absent)}, which are absent. "
            f"{did_you_mean(absent[0], given)} Only these may be left out, and are imputed: "
            f"{', '.join(_optional(params)) or 'none'}."
        )


def _optional(params: TabularFeatureParams) -> list[str]:
    return [name for name in params.inputs if name not in params.needed]


def _with_absent(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """The table with every optional column that it lacks, missing in each row."""
    dates, numbers = set(params.dates), set(params.numeric)
    types = {
        name: "timestamp" if name in dates else "float64" if name in numbers else "string"
        for name in [*_optional(params), *columns_beside(params)]
    }
    absent = {name: ibis.null(kind) for name, kind in types.items() if name not in table.columns}
    return table.mutate(**absent) if absent else table
