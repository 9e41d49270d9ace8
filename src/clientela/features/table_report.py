"""What happened to rows and cells on the way to the model input: nothing is lost in silence."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.arrays import Floats
from clientela.exceptions import TrainingDataError
from clientela.features.case_table import (
    STATUSES,
    TOO_YOUNG,
    UNKNOWN_LABEL,
    UNLABELLED,
    USABLE,
    assign_class,
    assign_label_status,
    find_label_date,
    read_moment_column,
    read_number_column,
    read_observation,
    read_word_column,
)
from clientela.features.table_features import WordCleaner
from clientela.features.table_settings import TabularFeatureParams

# Share of the rows that tell what the latest date should be near: the others may be typos.
NEARLY_ALL: Final = 0.999

DAYS_IN_A_MONTH = 365.25 / 12
# Actions on cells without a believable value.
EMPTIED = ("imputed", "own_category", "set_missing")


def count_rows_by_status(table: pa.Table, params: TabularFeatureParams) -> pd.DataFrame:
    """One row per status and class: how many rows of the table have it.

    Returns:
        `status` (one of `STATUSES`), `clase` (missing without a known label), `rows`; `example`,
        the smallest of the labels that are unknown; and, the same in each row and missing without
        maturity: `as_of`, the day on which labels count as taken, `nearly_all`, the moment by
        which `NEARLY_ALL` of the dated rows had started, in seconds since 1970, and `months`, the
        observation's length, the median one where each row has its own.
    """
    status = assign_label_status(table, params)
    label = pd.Series(read_word_column(table, params.target.column), dtype="str")
    classes = pd.Series(assign_class(table, params.target), dtype="str")
    unknown = label.where(status == UNKNOWN_LABEL)
    rows = pd.DataFrame({"status": status, "clase": classes, "example": unknown})
    groups = rows.groupby(["status", "clase"], dropna=False)["example"]
    counted = groups.agg(rows="size", example="min").reset_index().astype({"example": "str"})
    as_of, nearly_all, months = None, np.nan, np.nan
    if params.maturity is not None:
        started, lengths = read_observation(table, params.maturity)
        as_of = find_label_date(started, params.maturity).item()
        seconds = started[~np.isnat(started)].astype(np.int64) / 1e6
        nearly_all = _interpolate_quantile(seconds, NEARLY_ALL)
        months = _interpolate_quantile(lengths[~np.isnan(lengths)], 0.5)
    days = pd.array([as_of] * len(counted), dtype="date32[pyarrow]")
    return counted.assign(as_of=days, nearly_all=nearly_all, months=months)


def _interpolate_quantile(values: Floats, share: float) -> float:
    """The quantile between two values, as the SQL standard's `percentile_cont` defines it.

    NumPy's own interpolates from the upper value too, and may end in another bit.
    """
    if not len(values):
        return np.nan
    ordered, place = np.sort(values), share * (len(values) - 1)
    lower, upper = ordered[math.floor(place)], ordered[math.ceil(place)]
    return float(lower + (upper - lower) * (place - math.floor(place)))


def count_cell_findings(table: pa.Table, params: TabularFeatureParams) -> pd.DataFrame:
    """One row per finding in an input or date column: how many cells of the table it concerns.

    No cell is counted under two findings of its column.

    Returns:
        `place`, `column`, `finding` (`missing`, `not_finite`, `below_minimum`, `above_maximum`,
        `not_allowed`, `respelled`, `no_date`), `action` (`imputed`, `own_category`, `kept_missing`,
        `set_missing`, `clip`, `group`, `respelled`), `rows`, and `of`, the rows of the table.
    """
    findings = [
        (column, *finding)
        for column in dict.fromkeys([*params.inputs, *params.dates])
        for finding in _list_findings(table, column, params)
    ]
    counts = pd.DataFrame(findings, columns=["column", "finding", "action", "rows"])
    counts.insert(0, "place", range(len(counts)))
    return counts.assign(of=table.num_rows).astype({"place": "int64", "of": "int64"})


def _list_findings(
    table: pa.Table, name: str, params: TabularFeatureParams
) -> list[tuple[str, str, int]]:
    """Finding, action, and the number of cells."""
    missing = int(table[name].null_count)
    if name in params.numeric:
        numbers, rule = read_number_column(table, name), params.get_number_rule(name)
        findings = [
            ("missing", "imputed", missing),
            ("not_finite", "set_missing", int(np.isnan(numbers).sum()) - missing),
        ]
        if rule is not None and rule.minimum is not None:
            findings.append(("below_minimum", rule.outside, int((numbers < rule.minimum).sum())))
        if rule is not None and rule.maximum is not None:
            findings.append(("above_maximum", rule.outside, int((numbers > rule.maximum).sum())))
        return findings
    if name in params.dates:
        unreadable = int(np.isnat(read_moment_column(table, name)).sum()) - missing
        action = "imputed" if name in params.inputs else "kept_missing"
        return [("missing", action, missing), ("no_date", "set_missing", unreadable)]
    words, word_rule = read_word_column(table, name), params.get_word_rule(name)
    cleaner = WordCleaner.of(word_rule)
    absent, invalid = pd.isna(words), cleaner.find_invalid(words.tolist())
    respelled = (words != np.array(cleaner.apply_rules(words.tolist()), dtype=object)) & ~invalid
    return [
        ("missing", "imputed" if word_rule.missing is None else "own_category", int(absent.sum())),
        ("not_allowed", word_rule.other, int(invalid.sum())),
        ("respelled", "respelled", int((respelled & ~absent).sum())),
    ]


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
        "as_of": None,
        "as_of_doubtful": False,
    }
    dated = accounts.dropna(subset=["as_of"])
    if params.maturity is not None and not dated.empty:
        # one mistyped date would be the latest one, and make every row old enough
        first, as_of = dated.iloc[0], pd.Timestamp(dated["as_of"].iloc[0])
        ahead = as_of - pd.Timestamp(first["nearly_all"], unit="s")
        doubtful = ahead > pd.Timedelta(days=first["months"] * DAYS_IN_A_MONTH)
        report["as_of"] = as_of.date().isoformat()
        report["as_of_doubtful"] = bool(doubtful and params.maturity.as_of is None)
    _require_two_classes(report, accounts, params)
    return report | {"sentence": _summarize_rows(report, params)}


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
    left_out = _describe_left_out_rows(status)
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
            f"No row can be learned from: {left_out}. The target {target.column!r} is empty or "
            f"absent in every row, where {target.negative.label!r} or "
            f"{target.positive.label!r} was expected. Bring labels, or correct features.target. "
            "To score with a stored model only, end the run at --to-outputs=<use case>.scores."
        )
    if status[USABLE] == 0:
        raise TrainingDataError(
            f"No row can be learned from: {left_out}. Bring labels, or older rows, or shorten "
            "features.maturity."
        )
    present = [name for name, rows in report["classes"].items() if rows]
    if len(present) == 1:
        raise TrainingDataError(
            f"Every usable row ({status[USABLE]}) has the class {present[0]!r}, so there is "
            f"nothing to tell apart. Check the column {target.column!r} and features.target, and "
            f"the rows left out: {left_out}."
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
