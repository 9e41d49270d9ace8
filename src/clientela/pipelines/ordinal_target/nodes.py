"""Nodes of the ordinal target: classes, model input, and the proof that nothing leaks."""

import logging
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.exceptions import TrainingDataError
from clientela.features.leakage import LeakageRules, compute_feature_concordances, leakage_report
from clientela.features.settings import FeatureParams
from clientela.features.transactions import (
    KEY,
    Cutoff,
    CutoffPlan,
    OrdinalTarget,
    TransactionPeriod,
    customer_features,
    customer_target,
    extended_columns,
    history_columns,
    required_columns,
    resolve_cutoff,
    resolve_required_cutoff,
    rule_columns,
)
from clientela.text import NumberFormat

logger = logging.getLogger(__name__)


def compute_customer_target(
    transactions: ir.Table, period: dict[str, str], params: FeatureParams, target: OrdinalTarget
) -> ir.Table:
    """One row per customer: their class after the configured cutoff."""
    cutoff = resolve_cutoff(params.cutoff_mode, params, TransactionPeriod.from_iso(period))
    return customer_target(transactions, cutoff, params, target)


def build_ordinal_model_input(
    features: ir.Table, target: ir.Table, params: FeatureParams
) -> ir.Table:
    """One row per customer with enough history: features and target.

    Args:
        features: One row per customer with a transaction.

    Returns:
        `id_cliente` (PII), the features (float64) and the target (class name).
    """
    known = features.filter(features["num_tx_total"] >= params.minimum_transactions)
    return known.inner_join(target.select(KEY, params.target), KEY)


def build_cutoff_rows(
    transactions: ir.Table,
    customers: ir.Table,
    plan: dict[str, Any],
    params: FeatureParams,
    target: OrdinalTarget,
) -> ir.Table:
    """One row per customer with a past, past day and cutoff mode: features and what followed.

    Returns:
        `id_cliente` (PII), the features (float64), the target, `corte` (ISO date) and `modo`. With
        `calendar` the day is everybody's cutoff. With `required` it is the day until which
        transactions were known: what the required model would have learned from.
    """
    planned, months = CutoffPlan.from_iso(plan), params.target_months
    dated = [(day, "calendar", Cutoff("calendar", day, months)) for day in planned.calendar_days]
    dated += [
        (test.day, "required", resolve_required_cutoff(params, test.day))
        for test in planned.backtests
    ]
    parts = []
    for day, mode, cutoff in dated:
        rows = build_ordinal_model_input(
            customer_features(transactions, customers, cutoff, params),
            customer_target(transactions, cutoff, params, target),
            params,
        )
        # with a day for everybody, those who come later have no past and no score
        known = rows if mode == "required" else rows.filter(rows["num_tx_total"] > 0)
        parts.append(known.mutate(corte=ibis.literal(day.isoformat()), modo=ibis.literal(mode)))
    return ibis.union(*parts)


def select_required_columns(model_input: pd.DataFrame, params: FeatureParams) -> pd.DataFrame:
    """One row per customer: exactly the required columns, for whoever reads the CSV."""
    return model_input[[KEY, *required_columns(params), params.target]]


def build_ordinal_feature_schema(params: FeatureParams, target: OrdinalTarget) -> dict[str, Any]:
    """Which columns of the model input mean what, for stages that know no use case.

    Returns:
        `key`, `target`, `required`, `extra`, `history` (those of `extra` that the required model's
        rows are not described by), `last_quarter` (purchases in the window before the
        cutoff, for the business rule), `classes` in order and their `values`.
    """
    extended = extended_columns(params) if params.extended else []
    return {
        "key": KEY,
        "target": params.target,
        "required": required_columns(params),
        "extra": [*rule_columns(params), *extended],
        "history": history_columns(params) if params.extended else [],
        "last_quarter": rule_columns(params)[-1],
        "classes": [c.name for c in target.classes],
        "values": [c.value for c in target.classes],
        "lower_bounds": [c.at_least for c in target.classes],
    }


def compare_class_shares(
    model_input: pd.DataFrame,
    dated: pd.DataFrame,
    scored: pd.DataFrame,
    params: FeatureParams,
    target: OrdinalTarget,
) -> dict[str, Any]:
    """How many customers each class has: at the required cutoff, and on the latest calendar day.

    Args:
        dated: See `build_cutoff_rows`.
        scored: One row per known customer, with or without a transaction.

    Returns:
        `category`, `customers` (all known), `trained_on`, `left_out` (without any transaction or
        with too little history), per cutoff mode counts and shares, and `warnings` in the readers'
        language about a target that says little.

    Raises:
        TrainingDataError: A class has no customer with the configured cutoff.
    """
    counts = _count_customers_per_class(model_input, params, target)
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        raise TrainingDataError(
            f"No customer is of class {', '.join(empty)} for the category {params.category!r}: "
            f"found {counts} among {len(model_input)} customers with "
            f"{params.minimum_transactions}+ transactions before their cutoff. Every class needs "
            "some. Choose a category that is bought more often (features.category), one cutoff "
            "for everybody (features.cutoff_mode: calendar), another business rule "
            "(target.classes), or bring more data."
        )
    calendar = dated[dated["modo"] == "calendar"]
    latest = calendar[calendar["corte"] == calendar["corte"].max()]
    on_calendar = _count_customers_per_class(latest, params, target)
    shares = {
        params.cutoff_mode: _add_shares(counts),
        "calendar": _add_shares(on_calendar),
    }
    warnings = _describe_degenerate_target(counts, on_calendar, params)
    for sentence in warnings:
        logger.warning("%s", sentence)
    logger.info("Classes with %s cutoff: %s", params.cutoff_mode, counts)
    return {
        "category": params.category,
        "customers": len(scored),
        "trained_on": len(model_input),
        "left_out": len(scored) - len(model_input),
        "classes": shares,
        "warnings": warnings,
    }


# A class of fewer customers is a handful, and shares this far apart are those of other classes.
HANDFUL = 20
FAR_APART = 0.2


def _describe_degenerate_target(
    counts: Mapping[str, int], on_calendar: Mapping[str, int], params: FeatureParams
) -> list[str]:
    """What the required cutoff hides: classes of a handful, or shares that no quarter has."""
    if params.cutoff_mode == "calendar":
        return []
    own, real = (_add_shares(numbers)["shares"] for numbers in (counts, on_calendar))
    name = max(counts, key=lambda label: abs(own[label] - real[label]))
    rarest = min(counts, key=lambda label: counts[label])
    found = (
        f"El objetivo con el corte requerido (cutoff_mode: {params.cutoff_mode}) no es el de un "
        "trimestre cualquiera: "
    )
    mend = (
        ". Las probabilidades del modelo requerido no valen para el futuro; features.cutoff_mode: "
        "calendar lo corrige."
    )
    if abs(own[name] - real[name]) > FAR_APART:
        shares = (
            f"«{name}» tiene {_percent(own[name])} de los clientes, y {_percent(real[name])} en el "
            "último trimestre del calendario"
        )
        return [found + shares + mend]
    if counts[rarest] < HANDFUL <= on_calendar[rarest]:
        return [f"{found}«{rarest}» tiene solo {counts[rarest]} clientes{mend}"]
    return []


def _percent(share: float) -> str:
    return NumberFormat().percent(share)


def _count_customers_per_class(
    frame: pd.DataFrame, params: FeatureParams, target: OrdinalTarget
) -> dict[str, int]:
    found = frame[params.target].value_counts()
    return {c.name: int(found.get(c.name, 0)) for c in target.classes}


def _add_shares(counts: Mapping[str, int]) -> dict[str, Any]:
    total = max(sum(counts.values()), 1)
    return {
        "counts": dict(counts),
        "shares": {name: round(count / total, 6) for name, count in counts.items()},
    }


def count_changed_features(features: ir.Table, scrambled: ir.Table) -> dict[str, ir.Table]:
    """For how many customers each feature changed when the future was scrambled.

    Args:
        scrambled: The same after every row at or past the cutoff was rewritten.

    Returns:
        `changed`: one row with a count per feature, and `rows`, the customers compared, and
        `lost`, the customers that only one side has, for whom every feature counts as changed.
    """
    names = [name for name in features.columns if name != KEY]
    both = features.outer_join(scrambled, KEY, rname="{name}_scrambled")
    lost = ~both[KEY].identical_to(both[f"{KEY}_scrambled"])
    differs = {
        name: both.count(where=~both[name].identical_to(both[f"{name}_scrambled"]))
        for name in names
    }
    return {"changed": both.agg(rows=both.count(), lost=both.count(where=lost), **differs)}


def build_ordinal_leakage_report(
    changed: Mapping[str, pd.DataFrame],
    model_input: pd.DataFrame,
    params: FeatureParams,
    target: OrdinalTarget,
    rules: LeakageRules,
) -> dict[str, Any]:
    """The proof on the data at hand that features end at the cutoff; see `leakage_report`."""
    row = changed["changed"].iloc[0]
    features = [name for name in changed["changed"].columns if name not in ("rows", "lost")]
    codes = model_input[params.target].map({c.name: i for i, c in enumerate(target.classes)})
    concordance = compute_feature_concordances(model_input[features], codes)
    counts = {name: int(row[name]) for name in features}
    warnings = []
    if params.points_balance == "snapshot":
        warnings.append(
            "saldo_puntos is the balance as extracted: it contains the points of the target window "
            "(features.points_balance: at_cutoff takes them off)."
        )
    if params.cutoff_mode == "last_transaction":
        warnings.append(
            "The cutoff of each customer is their last transaction minus the target window, which "
            "only the future tells; the proof is conditional on it. Compare the calendar cutoff."
        )
    report = leakage_report(concordance, counts, int(row["rows"]), warnings, rules)
    logger.info("Leakage: %s", report["sentence"])
    return report
