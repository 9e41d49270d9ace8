"""Which rows have a label that can be learned from: known, and old enough to be final."""

import ibis
import ibis.expr.types as ir

from clientela.folding import folded
from clientela.tabular.params import BinaryTarget, Maturity, TabularFeatureParams
from clientela.tabular.readings import as_moment, as_number, as_word

USABLE = "usable"
UNLABELLED = "unlabelled"
UNKNOWN_LABEL = "unknown_label"
UNDATED = "undated"
TOO_YOUNG = "too_young"

STATUSES = (USABLE, UNLABELLED, UNKNOWN_LABEL, UNDATED, TOO_YOUNG)
"""What becomes of a row: learned from, or left out for the first reason that holds.

`undated` rows lack the start of their observation, or its length where each has its own.
"""

NEARLY_ALL = 0.999
"""Share of the rows that tell what the latest date should be near: the others may be typos."""


def class_of(table: ir.Table, target: BinaryTarget) -> ir.StringValue:
    """The class of each row by its name.

    Args:
        table: One row per case.
        target: Column, labels and names.

    Returns:
        The name; null where there is no label, or an unknown one.
    """
    label = folded(as_word(table, target.column))
    return ibis.cases(
        (label == target.negative.word, ibis.literal(target.negative.name)),
        (label == target.positive.word, ibis.literal(target.positive.name)),
        else_=ibis.null("string"),
    )


def status_of(table: ir.Table, params: TabularFeatureParams) -> ir.StringValue:
    """Whether each row can be learned from, or the reason why not.

    Args:
        table: One row per case.
        params: Target and maturity.

    Returns:
        One of `STATUSES`.
    """
    reasons = [
        (as_word(table, params.target.column).isnull(), UNLABELLED),
        (class_of(table, params.target).isnull(), UNKNOWN_LABEL),
    ]
    if params.maturity is not None:
        mature = _is_mature(table, params.maturity)
        reasons += [(mature.isnull(), UNDATED), (~mature, TOO_YOUNG)]
    found = ((when, ibis.literal(reason)) for when, reason in reasons)
    return ibis.cases(*found, else_=ibis.literal(USABLE))


def row_accounts(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per status and class: how many rows of the table have it.

    Args:
        table: One row per case.
        params: Target and maturity.

    Returns:
        `status` (one of `STATUSES`), `clase` (null without a known label), `rows`; `example`, the
        smallest of the labels that are unknown; and, the same in each row and null without
        maturity: `as_of`, the day on which labels count as taken, `nearly_all`, the moment by
        which `NEARLY_ALL` of the dated rows had started, in seconds since 1970, and `months`, the
        observation's length, the median one where each row has its own.
    """
    label = as_word(table, params.target.column)
    judged = table.select(
        status=status_of(table, params), clase=class_of(table, params.target), label=label
    )
    unknown = judged["status"] == UNKNOWN_LABEL
    grouped = judged.group_by("status", "clase")
    counted = grouped.agg(rows=judged.count(), example=judged["label"].min(where=unknown))
    return counted.mutate(**_observation(table, params.maturity)).order_by("status", "clase")


def _observation(table: ir.Table, maturity: Maturity | None) -> dict[str, ir.Value]:
    """What maturity is judged by, each as one value for the whole table."""
    if maturity is None:
        return {
            "as_of": ibis.null("date"),
            "nearly_all": ibis.null("float64"),
            "months": ibis.null("float64"),
        }
    started = as_moment(table, maturity.date_column)
    return {
        "as_of": _taken(started, maturity),
        "nearly_all": started.epoch_seconds().quantile(NEARLY_ALL).as_scalar().cast("float64"),
        "months": ibis.literal(maturity.months, "float64")
        if maturity.term_column is None
        else as_number(table, maturity.term_column).median().as_scalar().cast("float64"),
    }


def _is_mature(table: ir.Table, maturity: Maturity) -> ir.BooleanValue:
    """Whether the observation has passed; null where its start or its length is missing.

    Months are counted whole: begun on the 31st, a month has passed on the 1st after a shorter one.
    """
    started = as_moment(table, maturity.date_column)
    taken = _taken(started, maturity)
    day_ahead = (taken.day() < started.day()).cast("int32")
    months = (taken.year() - started.year()) * 12 + taken.month() - started.month() - day_ahead
    if maturity.term_column is not None:
        return months >= as_number(table, maturity.term_column)
    return months >= maturity.months


def _taken(started: ir.TimestampValue, maturity: Maturity) -> ir.DateValue:
    if maturity.as_of is not None:
        return ibis.date(maturity.as_of.isoformat())
    return started.max().as_scalar().date()
