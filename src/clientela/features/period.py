"""From the observed period to the cutoffs: for training, for comparison, for scoring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.features.cutoff import Cutoff
from clientela.features.params import CutoffMode, FeatureParams


@dataclass(frozen=True)
class Period:
    """The days that the transactions span, both inclusive.

    Attributes:
        first: Day of the first transaction.
        last: Day of the last one.
    """

    first: date
    last: date

    @classmethod
    def from_iso(cls, days: Mapping[str, str]) -> Self:
        """The period from its stored form.

        Args:
            days: `first` and `last` as ISO dates.

        Returns:
            The period.
        """
        return cls(date.fromisoformat(days["first"]), date.fromisoformat(days["last"]))


def configured_cutoff(params: FeatureParams, period: Period) -> Cutoff:
    """The cutoff that training uses.

    Args:
        params: The configured mode.
        period: The observed days.

    Returns:
        The rule.

    Raises:
        ConfigurationError: A calendar cutoff lies outside the observed period.
    """
    return cutoff_of(params.cutoff_mode, params, period)


def other_cutoff(params: FeatureParams, period: Period) -> Cutoff:
    """The cutoff of the mode that is not configured, to be shown beside it.

    Args:
        params: The configured mode.
        period: The observed days.

    Returns:
        The rule of the other mode.
    """
    other: CutoffMode = (
        "calendar" if params.cutoff_mode == "last_transaction" else "last_transaction"
    )
    return cutoff_of(other, params, period)


def cutoff_of(mode: CutoffMode, params: FeatureParams, period: Period) -> Cutoff:
    """The cutoff of a mode.

    Args:
        mode: Which one.
        params: The target window, and `as_of` where it is fixed.
        period: The observed days.

    Returns:
        The rule; calendar mode takes the latest date whose target window is whole by default.

    Raises:
        ConfigurationError: A calendar cutoff lies outside the observed period.
    """
    if mode == "last_transaction":
        return Cutoff(mode, None, params.target_months)
    latest = _months_earlier(period.last + timedelta(days=1), params.target_months)
    as_of = params.as_of or latest
    if params.as_of is not None and not period.first < as_of <= latest:
        raise ConfigurationError(
            f"features.as_of is {as_of}, but the transactions run from {period.first} to "
            f"{period.last}: a cutoff after the first day and not after {latest} was expected, so "
            f"that {params.target_months} months follow it."
        )
    return Cutoff(mode, as_of, params.target_months)


def scoring_cutoff(params: FeatureParams, period: Period) -> Cutoff:
    """The cutoff for scoring: everything observed is known.

    Args:
        params: `scoring_as_of` where it is fixed.
        period: The observed days.

    Returns:
        A calendar cutoff, by default on the day after the last transaction.
    """
    as_of = params.scoring_as_of or period.last + timedelta(days=1)
    return Cutoff("calendar", as_of, params.target_months)


def _months_earlier(day: date, months: int) -> date:
    return (pd.Timestamp(day) - pd.DateOffset(months=months)).date()
