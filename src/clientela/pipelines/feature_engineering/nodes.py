"""Nodes of feature engineering for use cases on transactions."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.exceptions import ConfigurationError, TrainingDataError, did_you_mean
from clientela.features.customer import customer_features as features_at
from clientela.features.customer import with_everybody
from clientela.features.params import FeatureParams
from clientela.features.period import Period, configured_cutoff, other_cutoff, scoring_cutoff
from clientela.features.scrambling import scrambled_customers, scrambled_transactions


def observed_period(transactions: ir.Table) -> dict[str, ir.Table]:
    """When the first and the last transaction took place, and which categories there are.

    Args:
        transactions: One row per transaction.

    Returns:
        `period`: one row with `first` and `last` (timestamps); `categories`: one row per folded
        category with `rubro` and `rows`.
    """
    counts = transactions.group_by("rubro").agg(rows=transactions.count())
    return {
        "period": transactions.agg(
            first=transactions["fecha"].min(), last=transactions["fecha"].max()
        ),
        "categories": counts.order_by(ibis.desc("rows"), "rubro"),
    }


def feature_period(observed: Mapping[str, pd.DataFrame], params: FeatureParams) -> dict[str, str]:
    """The observed period as dates, once the target category is known to occur in it.

    Args:
        observed: See `observed_period`.
        params: The target category.

    Returns:
        `first` and `last`: ISO dates of the first and the last transaction.

    Raises:
        TrainingDataError: There are no transactions.
        ConfigurationError: The category does not occur.
    """
    moments = observed["period"].iloc[0]
    if pd.isna(moments["last"]):
        raise TrainingDataError(
            "The table of transactions is empty: at least one accepted row was expected. "
            "Run kedro run --pipelines=ingestion: it tells why rows were refused."
        )
    categories = list(observed["categories"]["rubro"])
    if params.rubro not in categories:
        raise ConfigurationError(
            f"The target category {params.category!r} (features.category) does not occur in the "
            f"transactions. {did_you_mean(params.rubro, categories)} The most frequent: "
            f"{', '.join(categories[:10])}."
        )
    return {name: moments[name].date().isoformat() for name in ("first", "last")}


def customer_features(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer: features at the configured cutoff."""
    return features_at(
        transactions, customers, configured_cutoff(params, Period.from_iso(period)), params
    )


def customer_features_other_cutoff(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer: features at the cutoff of the mode that is not configured."""
    return features_at(
        transactions, customers, other_cutoff(params, Period.from_iso(period)), params
    )


def scoring_features(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer known at all: features as of the end of the data, for scoring."""
    cutoff = scoring_cutoff(params, Period.from_iso(period))
    return with_everybody(features_at(transactions, customers, cutoff, params), customers)


def scrambled_features(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer: features after every row at or past the cutoff was scrambled."""
    cutoff = configured_cutoff(params, Period.from_iso(period))
    future = scrambled_transactions(transactions, cutoff)
    balances = scrambled_customers(transactions, customers, cutoff)
    return features_at(future, balances, cutoff, params)
