"""What happened to rows and cells on the way to the model input: nothing is lost in silence."""

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from pydantic import BaseModel, ConfigDict

from clientela.exceptions import TrainingDataError
from clientela.features.cleaning import list_cell_findings
from clientela.features.table_features import (
    NEARLY_ALL,
    STATUSES,
    TOO_YOUNG,
    UNKNOWN_LABEL,
    UNLABELLED,
    USABLE,
)
from clientela.features.table_settings import TabularFeatureParams

# What happened to rows and cells on the way to the model input: nothing is lost in silence.


DAYS_IN_A_MONTH = 365.25 / 12
EMPTIED = ("imputed", "own_category", "set_missing")
"""Actions on cells without a believable value."""


def count_cell_findings(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per finding in an input or date column: how many cells of the table it concerns.

    Args:
        table: One row per case, with every configured column.

    Returns:
        `place`, `column`, `finding` (`missing`, `not_finite`, `below_minimum`, `above_maximum`,
        `not_allowed`, `respelled`, `no_date`), `action` (`imputed`, `own_category`, `kept_missing`,
        `set_missing`, `clip`, `group`, `respelled`), `rows`, and `of`, the rows of the table.
    """
    findings = [
        (column, *finding)
        for column in dict.fromkeys([*params.inputs, *params.dates])
        for finding in list_cell_findings(table, column, params)
    ]
    counts = {f"_{place}": table.count(where=found) for place, (*_, found) in enumerate(findings)}
    one = table.agg(of=table.count(), **counts)
    rows = [
        ibis.struct(
            {
                "place": ibis.literal(place, "int64"),
                "column": ibis.literal(column),
                "finding": ibis.literal(name),
                "action": ibis.literal(action),
                "rows": one[f"_{place}"].cast("int64"),
                "of": one["of"].cast("int64"),
            }
        )
        for place, (column, name, action, _) in enumerate(findings)
    ]
    # one row with many counts becomes many rows, so that the table is read once
    return one.select(row=ibis.array(rows).unnest()).unpack("row").order_by("place")


def column_roles(columns: list[str], params: TabularFeatureParams) -> pd.DataFrame:
    """One row per column of the table: what it is used for, and why not where it is not.

    Returns:
        `column`, `role` (`key`, `target`, `numeric`, `categorical`, `ordinal`, `date`, `excluded`,
        `sensitive`, `unused`) and `reason`, empty for columns that are used.
    """
    roles: dict[str, str] = dict.fromkeys(params.sensitive, "sensitive")
    roles |= dict.fromkeys(params.dates, "date") | dict.fromkeys(params.excluded, "excluded")
    roles |= dict.fromkeys(params.numeric, "numeric")
    roles |= dict.fromkeys(params.categorical, "categorical")
    roles |= dict.fromkeys(params.ordinal, "ordinal")
    roles |= {params.key: "key", params.target.column: "target"}
    unnamed = "named nowhere in the features"
    return pd.DataFrame(
        [
            {
                "column": name,
                "role": roles.get(name, "unused"),
                "reason": params.excluded.get(name, "" if name in roles else unnamed),
            }
            for name in columns
        ],
        columns=["column", "role", "reason"],
    ).astype("str")


def row_report(accounts: pd.DataFrame, params: TabularFeatureParams) -> dict[str, Any]:
    """How many rows are learned from, and how many are left out for which reason.

    Returns:
        `rows`, `status` (rows by status), `classes` (usable rows by class), `too_young_classes`;
        `as_of`, the day (ISO) on which labels count as taken, None without maturity, and
        `as_of_doubtful`, whether that is a latest date which lies more than the observation's
        length after that of nearly all rows, as a typo would; and a `sentence`. Rows add up: the
        statuses to `rows`, the classes to the usable ones.

    Raises:
        TrainingDataError: There are no rows, none that can be learned from, an unknown label, or
            one class only.
    """
    status = {
        name: int(accounts.loc[accounts["status"] == name, "rows"].sum()) for name in STATUSES
    }
    report: dict[str, Any] = {
        "rows": sum(status.values()),
        "status": status,
        "classes": _count_classes(accounts, USABLE, params),
        "too_young_classes": _count_classes(accounts, TOO_YOUNG, params),
        **_find_label_date(accounts, params),
    }
    _require_two_classes(report, accounts, params)
    return report | {"sentence": _summarize_rows(report, params)}


def _find_label_date(accounts: pd.DataFrame, params: TabularFeatureParams) -> dict[str, Any]:
    """The day on which labels count as taken, and whether it stands too far from the others.

    One mistyped date would be the latest one, and make every row old enough.
    """
    dated = accounts.dropna(subset=["as_of"])
    if params.maturity is None or dated.empty:
        return {"as_of": None, "as_of_doubtful": False}
    found, as_of = dated.iloc[0], pd.Timestamp(dated["as_of"].iloc[0])
    ahead = as_of - pd.Timestamp(found["nearly_all"], unit="s")
    doubtful = ahead > pd.Timedelta(days=found["months"] * DAYS_IN_A_MONTH)
    return {
        "as_of": as_of.date().isoformat(),
        "as_of_doubtful": bool(doubtful and params.maturity.as_of is None),
    }


def _count_classes(
    accounts: pd.DataFrame, status: str, params: TabularFeatureParams
) -> dict[str, int]:
    rows = accounts[accounts["status"] == status]
    target = params.target
    return {
        name: int(rows.loc[rows["clase"] == name, "rows"].sum())
        for name in (target.negative.name, target.positive.name)
    }


def _require_two_classes(
    report: Mapping[str, Any], accounts: pd.DataFrame, params: TabularFeatureParams
) -> None:
    status, target = report["status"], params.target
    if report["rows"] == 0:
        raise TrainingDataError(
            "The table to learn from is empty: at least one accepted row was expected. "
            "See row_accounting.json for why rows were refused."
        )
    if status[UNKNOWN_LABEL]:
        example = accounts.loc[accounts["status"] == UNKNOWN_LABEL, "example"].iloc[0]
        raise TrainingDataError(
            f"The target {target.column!r} should hold {target.negative.label!r} or "
            f"{target.positive.label!r}, but {status[UNKNOWN_LABEL]} of {report['rows']} rows hold "
            f"something else, for example {example!r}. Correct features.target, or quarantine "
            "those rows by an ingestion rule (allowed)."
        )
    if status[UNLABELLED] == report["rows"]:
        raise TrainingDataError(
            f"No row can be learned from: {_describe_left_out_rows(status)}. The target {target.column!r} is "
            f"empty or absent in every row, where {target.negative.label!r} or "
            f"{target.positive.label!r} was expected. Bring labels, or correct features.target. "
            "To score with a stored model only, end the run at --to-outputs=<use case>.scores."
        )
    if status[USABLE] == 0:
        raise TrainingDataError(
            f"No row can be learned from: {_describe_left_out_rows(status)}. Bring labels, or older rows, or "
            "shorten features.maturity."
        )
    present = [name for name, rows in report["classes"].items() if rows]
    if len(present) == 1:
        raise TrainingDataError(
            f"Every usable row ({status[USABLE]}) has the class {present[0]!r}, so there is "
            f"nothing to tell apart. Check the column {target.column!r} and features.target, and "
            f"the rows left out: {_describe_left_out_rows(status)}."
        )


def _describe_left_out_rows(status: Mapping[str, int]) -> str:
    found = [f"{name} {rows}" for name, rows in status.items() if rows and name != USABLE]
    return ", ".join(found) or "none"


def _summarize_rows(report: Mapping[str, Any], params: TabularFeatureParams) -> str:
    status = report["status"]
    counted = (
        f"{status[USABLE]} of {report['rows']} rows are learned from; "
        f"left out: {_describe_left_out_rows(status)}."
    )
    if params.maturity is None or not report["as_of_doubtful"]:
        return counted
    return (
        f"{counted} Labels count as taken on {report['as_of']}, the latest "
        f"{params.maturity.date_column!r}, but {NEARLY_ALL:.1%} of the rows began more than the "
        "observation's length before it. If it is a typo, young rows pass for old: correct it, "
        "quarantine it (latest in the ingestion rules), or set features.maturity.as_of."
    )


def describe_empty_columns(counts: pd.DataFrame) -> list[str]:
    """Input columns that say nothing, as sentences for log and card.

    Returns:
        One sentence per column without any believable value. It is kept, imputed with a constant.

    Raises:
        TrainingDataError: A column of dates holds values, and none can be read as a date.
    """
    sentences = []
    for column, found in counts.groupby("column", sort=False):
        rows, total = found.set_index("finding")["rows"], int(found["of"].iloc[0])
        if rows.get("no_date", 0) and rows["no_date"] + rows["missing"] == total:
            raise TrainingDataError(
                f"The column {column!r} should hold dates, but none of its {rows['no_date']} "
                "values can be read as one. Give it a rule of type timestamp in the ingestion "
                "rules, with date_formats that fit."
            )
        emptied = int(found.loc[found["action"].isin(EMPTIED), "rows"].sum())
        if total and emptied == total:
            sentences.append(
                f"{column} has no believable value in any of {total} rows "
                f"({int(rows['missing'])} missing): it says nothing, and is kept as a constant."
            )
    return sentences


# What the columns of the features mean, for stages that know no use case.


class TabularSchema(BaseModel):
    """The meaning of each column of a model input on a table.

    A superset of what training asks of any schema (key, target, required, extra, classes, values).

    Attributes:
        key: Unique key of a row.
        target: Column with the class of a row, by its name.
        required: Features that the requirement lists.
        classes: Names of the negative and the positive class.
        numeric: Features that are numbers.
        categorical: Features that are words without an order.
        ordinal: Features that are words with an order: name to levels, lowest first.
        sources: Feature to the columns of the table that it is made of.
        inputs: Columns of the table that features are made of.
        needed: Those of them that every table to be scored must bring.
        sensitive: Columns to compare groups of people by; beside the features, or among them.
        time: Date column to split by.
        excluded: Columns of the table that are no features, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    target: str
    required: tuple[str, ...]
    extra: tuple[str, ...] = ()
    classes: tuple[str, str]
    values: tuple[float, float]
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ordinal: dict[str, tuple[str, ...]] = {}
    sources: dict[str, tuple[str, ...]]
    inputs: tuple[str, ...]
    needed: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    time: str | None = None
    excluded: dict[str, str] = {}

    def find_features_using(self, column: str) -> list[str]:
        """The features that a column of the table takes part in."""
        return [name for name, columns in self.sources.items() if column in columns]


def feature_schema(params: TabularFeatureParams) -> dict[str, Any]:
    """Which columns of the model input mean what.

    Returns:
        The fields of `TabularSchema`, as they are stored in JSON.
    """
    raw, made = params.raw_features, params.made_numbers
    categories = params.enrichment.categories()
    required = [name for name in params.listed if name in raw]
    rest = [name for name in raw if name not in required]
    target = params.target
    schema = TabularSchema(
        key=params.key,
        target=target.column,
        required=tuple(required),
        extra=(*rest, *made, *categories),
        classes=(target.negative.name, target.positive.name),
        values=(0.0, 1.0),
        numeric=(*params.numeric, *made),
        categorical=(*params.categorical, *categories),
        ordinal=params.ordinal,
        sources={name: tuple(_find_sources(name, params)) for name in (*raw, *made, *categories)},
        inputs=tuple(params.inputs),
        needed=tuple(params.needed),
        sensitive=params.sensitive,
        time=params.time,
        excluded=params.excluded,
    )
    return schema.model_dump(mode="json")


def _find_sources(name: str, params: TabularFeatureParams) -> list[str]:
    """The columns of the table behind a feature, through all that was made in between."""
    made = params.made_numbers | params.enrichment.categories()
    if name not in made:
        return [name]
    found = (source for operand in made[name] for source in _find_sources(operand, params))
    return list(dict.fromkeys(found))


def find_imputed_cells(features: pd.DataFrame, schema: TabularSchema) -> list[list[str]]:
    """For each row, the columns of the table whose value is imputed.

    A value is imputed where it was absent, or where cleaning did not believe it. A date
    counts as imputed where all that is made of it is missing.

    Args:
        features: One row per case, as `clientela.features.table_features.case_features` gives it.

    Returns:
        Column names by row, in the order of the schema's inputs.
    """
    missing = features[[*schema.sources]].isna()
    by_input = {
        name: missing[name]
        if name in missing
        else missing[schema.find_features_using(name)].all(axis="columns")
        for name in schema.inputs
    }
    table = pd.DataFrame(by_input, index=features.index)
    return [list(table.columns[row]) for row in table.to_numpy()]
