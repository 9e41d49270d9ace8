"""Where a customer's known past ends and the target begins."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import ibis
import ibis.expr.types as ir

CUTOFF = "_cutoff"


@dataclass(frozen=True)
class Cutoff:
    """The rule that gives each customer a cutoff.

    Attributes:
        mode: `last_transaction`: the customer's last transaction minus the target window;
            `calendar`: `as_of` for everybody.
        as_of: The cutoff of calendar mode.
        target_months: Length of the target window.
    """

    mode: Literal["last_transaction", "calendar"]
    as_of: date | None
    target_months: int


def customer_cutoffs(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """One row per customer with a transaction: where their known past ends.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `puntos`.
        cutoff: The rule.

    Returns:
        `id_cliente`, `_cutoff` (timestamp) and `_points` (all points ever moved).
    """
    totals = transactions.group_by("id_cliente").agg(
        _last=transactions["fecha"].max(), _points=transactions["puntos"].sum()
    )
    if cutoff.mode == "calendar":
        return totals.select("id_cliente", "_points", _cutoff=as_timestamp(cutoff.as_of))
    return totals.select(
        "id_cliente", "_points", _cutoff=months_before(totals["_last"], cutoff.target_months)
    )


def with_cutoff(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The transactions, each beside its customer's cutoff.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`.
        cutoff: The rule.

    Returns:
        The same rows with `_cutoff` (timestamp).
    """
    if cutoff.mode == "calendar":
        return transactions.mutate(_cutoff=as_timestamp(cutoff.as_of))
    cutoffs = customer_cutoffs(transactions, cutoff).select("id_cliente", CUTOFF)
    return transactions.join(cutoffs, "id_cliente")


def in_target_window(dated: ir.Table, cutoff: Cutoff) -> ir.BooleanValue:
    """Whether a transaction falls into its customer's target window.

    Args:
        dated: Transactions with `_cutoff`.
        cutoff: The rule that gave it.

    Returns:
        `cutoff <= fecha`, up to the last transaction or, in calendar mode, `< as_of + window`.
    """
    begun = dated["fecha"] >= dated[CUTOFF]
    if cutoff.mode == "last_transaction":
        return begun
    return begun & (dated["fecha"] < dated[CUTOFF] + ibis.interval(months=cutoff.target_months))


def months_before(moment: ir.TimestampValue, months: int) -> ir.TimestampValue:
    """The moment so many calendar months earlier, at the month's last day where it is shorter.

    Every boundary is taken from one anchor: two steps of 3 months are not always one of 6.

    Args:
        moment: The anchor.
        months: How many.

    Returns:
        The boundary.
    """
    return moment - ibis.interval(months=months)


def as_timestamp(day: date | None) -> ir.TimestampValue:
    """Midnight at the beginning of a day.

    Args:
        day: The day.

    Returns:
        A literal.
    """
    if day is None:
        raise ValueError("a calendar cutoff needs its as_of date")
    return ibis.timestamp(day.isoformat() + " 00:00:00")
