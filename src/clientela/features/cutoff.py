"""Where a customer's known past ends and the target begins.

Windows are half-open, `[start, cutoff)`. Every boundary is taken from one anchor: two steps of
three months are not always one of six.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Self

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.features.settings import CutoffMode, FeatureParams

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

    Returns:
        `id_cliente`, `_cutoff` (timestamp) and `_points` (all points ever moved).
    """
    totals = transactions.group_by("id_cliente").agg(
        _last=transactions["fecha"].max(), _points=transactions["puntos"].sum()
    )
    if cutoff.mode == "calendar":
        return totals.select("id_cliente", "_points", _cutoff=make_timestamp(cutoff.as_of))
    return totals.select(
        "id_cliente", "_points", _cutoff=months_before(totals["_last"], cutoff.target_months)
    )


def add_cutoff(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The transactions, each beside its customer's cutoff.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`.
    """
    if cutoff.mode == "calendar":
        return transactions.mutate(_cutoff=make_timestamp(cutoff.as_of))
    cutoffs = customer_cutoffs(transactions, cutoff).select("id_cliente", CUTOFF)
    return transactions.join(cutoffs, "id_cliente")


def is_in_target_window(dated: ir.Table, cutoff: Cutoff) -> ir.BooleanValue:
    """Whether a transaction falls into its customer's target window.

    Returns:
        `cutoff <= fecha`, up to the last transaction or, in calendar mode, `< as_of + window`.
    """
    begun = dated["fecha"] >= dated[CUTOFF]
    if cutoff.mode == "last_transaction":
        return begun
    return begun & (dated["fecha"] < dated[CUTOFF] + ibis.interval(months=cutoff.target_months))


def months_before(moment: ir.TimestampValue, months: int) -> ir.TimestampValue:
    """The moment so many calendar months earlier, at the month's last day where it is shorter."""
    return moment - ibis.interval(months=months)


def make_timestamp(day: date | None) -> ir.TimestampValue:
    """Midnight at the beginning of a day."""
    if day is None:
        raise ValueError("a calendar cutoff needs its as_of date")
    return ibis.timestamp(day.isoformat() + " 00:00:00")


@dataclass(frozen=True)
class TransactionPeriod:
    """The days of the first and of the last transaction."""

    first: date
    last: date

    @classmethod
    def from_iso(cls, days: Mapping[str, str]) -> Self:
        """The period from its stored form: `first` and `last` as ISO dates."""
        return cls(date.fromisoformat(days["first"]), date.fromisoformat(days["last"]))


def resolve_cutoff(mode: CutoffMode, params: FeatureParams, period: TransactionPeriod) -> Cutoff:
    """The cutoff of a mode; in calendar mode by default the latest whose target window is whole.

    Raises:
        ConfigurationError: A calendar cutoff lies outside the observed period.
    """
    if mode == "last_transaction":
        return Cutoff(mode, None, params.target_months)
    day_after = pd.Timestamp(period.last + timedelta(days=1))
    latest = (day_after - pd.DateOffset(months=params.target_months)).date()
    as_of = params.as_of or latest
    if params.as_of is not None and not period.first < as_of <= latest:
        raise ConfigurationError(
            f"features.as_of is {as_of}, but the transactions run from {period.first} to "
            f"{period.last}: a cutoff after the first day and not after {latest} was expected, so "
            f"that {params.target_months} months follow it."
        )
    return Cutoff(mode, as_of, params.target_months)


def resolve_scoring_cutoff(params: FeatureParams, period: TransactionPeriod) -> Cutoff:
    """A calendar cutoff past everything observed: by default the day after the last transaction."""
    as_of = params.scoring_as_of or period.last + timedelta(days=1)
    return Cutoff("calendar", as_of, params.target_months)
