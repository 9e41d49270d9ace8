"""Customer features and target from transactions, with the cutoffs they end at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal, Self

import ibis
import ibis.expr.types as ir
import pandas as pd
from pydantic import Field, model_validator

from clientela.exceptions import ConfigurationError, TrainingDataError
from clientela.features.settings import CutoffMode, FeatureParams
from clientela.settings_base import FrozenSettings

# Where a customer's known past ends and the target begins.
#
# Windows are half-open, `[start, cutoff)`. Every boundary is taken from one anchor: two steps of
# three months are not always one of six.


CUTOFF = "_cutoff"


@dataclass(frozen=True)
class Cutoff:
    """The rule that gives each customer a cutoff.

    Attributes:
        mode: `last_transaction`: the customer's last transaction minus the target window;
            `calendar`: `as_of` for everybody.
        known_until: Day from which on transactions are hidden, so that `last_transaction` is the
            one that was known that day; None: all are known.
    """

    mode: Literal["last_transaction", "calendar"]
    as_of: date | None
    target_months: int
    known_until: date | None = None


def customer_cutoffs(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """One row per customer with a transaction: where their known past ends."""
    known: ir.BooleanValue | None = None
    if cutoff.known_until is not None:
        known = transactions["fecha"] < make_timestamp(cutoff.known_until)
    # the balance of points was extracted at the end, so all points explain it
    totals = transactions.group_by("id_cliente").agg(
        _last=transactions["fecha"].max(where=known), _points=transactions["puntos"].sum()
    )
    if known is not None:
        totals = totals.filter(totals["_last"].notnull())
    if cutoff.mode == "calendar":
        return totals.select("id_cliente", "_points", _cutoff=make_timestamp(cutoff.as_of))
    return totals.select(
        "id_cliente", "_points", _cutoff=months_before(totals["_last"], cutoff.target_months)
    )


def add_cutoff(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The transactions, each beside its customer's cutoff."""
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
        if cutoff.known_until is None:
            return begun
        return begun & (dated["fecha"] < make_timestamp(cutoff.known_until))
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


@dataclass(frozen=True)
class BacktestDate:
    """A past day on which scores are made as if nothing after it was known.

    Attributes:
        learned: The cutoffs that could be learned from on that day, the youngest first.
    """

    day: date
    learned: tuple[date, ...]


@dataclass(frozen=True)
class CutoffPlan:
    """On which days the model that scores customers is tested, and what it finally learns from.

    Attributes:
        backtests: The past days, the most recent first: that one is the test, on which nothing is
            chosen.
        learned: The cutoffs that are learned from after the test, the youngest first.
    """

    backtests: tuple[BacktestDate, ...]
    learned: tuple[date, ...]

    @property
    def calendar_days(self) -> list[date]:
        """Every day on which features of all customers are needed, in order."""
        tested = {day for test in self.backtests for day in (test.day, *test.learned)}
        return sorted({*tested, *self.learned})

    @classmethod
    def from_iso(cls, stored: Mapping[str, Any]) -> Self:
        """The plan from its stored form."""

        def dates(days: Sequence[str]) -> tuple[date, ...]:
            return tuple(map(date.fromisoformat, days))

        return cls(
            tuple(
                BacktestDate(date.fromisoformat(test["day"]), dates(test["learned"]))
                for test in stored["backtests"]
            ),
            dates(stored["learned"]),
        )


def plan_cutoffs(params: FeatureParams, period: TransactionPeriod) -> CutoffPlan:
    """The days to test scores on, and the cutoffs to learn from, as the history allows.

    Raises:
        TrainingDataError: Not even one cutoff with a whole target window lies before the test.
    """
    window = pd.DateOffset(months=params.target_months)
    today, last = (
        pd.Timestamp(str(cutoff.as_of))
        for cutoff in (
            resolve_scoring_cutoff(params, period),
            resolve_cutoff("calendar", params, period),
        )
    )
    latest = min(last, today - window)
    tests = (
        BacktestDate(day.date(), _list_learned_cutoffs(day, params, period))
        for day in (
            latest - pd.DateOffset(months=params.target_months * step)
            for step in range(params.backtest.dates)
        )
    )
    backtests = tuple(test for test in tests if test.learned)
    if not backtests or backtests[0].day != latest.date():
        raise TrainingDataError(
            f"The transactions run from {period.first} to {period.last}. To learn scores and to "
            f"test them on what came later, more than {2 * params.target_months} months are needed "
            f"(twice features.target_months, now {params.target_months}), and with fewer nobody "
            "has a past to learn from. Bring more history, or set a smaller features.target_months."
        )
    return CutoffPlan(backtests, _list_learned_cutoffs(latest + window, params, period))


def _list_learned_cutoffs(
    day: pd.Timestamp, params: FeatureParams, period: TransactionPeriod
) -> tuple[date, ...]:
    """The cutoffs whose target window has ended by a day, the youngest first.

    Each has the shorter window of features before it; where none has, the youngest one is taken.
    """
    first = pd.Timestamp(period.first)
    youngest = day - pd.DateOffset(months=params.target_months)
    apart, count = params.scoring_cutoffs.days_apart, params.scoring_cutoffs.count
    cutoffs = [youngest - pd.Timedelta(days=apart * step) for step in range(count)]
    whole = first + pd.DateOffset(months=params.window_months[0])
    learned = [cutoff for cutoff in cutoffs if cutoff >= whole] or cutoffs[:1]
    return tuple(cutoff.date() for cutoff in learned if cutoff > first)


def resolve_required_cutoff(params: FeatureParams, day: date) -> Cutoff:
    """The cutoff of the configured mode as it would have been on a past day."""
    if params.cutoff_mode == "last_transaction":
        return Cutoff(params.cutoff_mode, None, params.target_months, known_until=day)
    latest = pd.Timestamp(day) - pd.DateOffset(months=params.target_months)
    return Cutoff(params.cutoff_mode, latest.date(), params.target_months)


def resolve_scoring_cutoff(params: FeatureParams, period: TransactionPeriod) -> Cutoff:
    """A calendar cutoff past everything observed: by default the day after the last transaction."""
    as_of = params.scoring_as_of or period.last + timedelta(days=1)
    return Cutoff("calendar", as_of, params.target_months)


# Customer features and their target as lazy expressions: nothing after the cutoff is ever seen.
#
# Every feature is a conditional aggregate over the transactions joined with their customer's
# cutoff; measured, that beats window functions, as-of lists and one query per feature.


KEY = "id_cliente"
SEASON = 12  # months back to the same season
CENTS = 100
YEAR, QUARTER = 365.25, 91.3125  # days


def required_columns(params: FeatureParams) -> list[str]:
    """The features of the requirement, in its order, without key and target."""
    category, (short, long) = params.slug, params.window_months
    windows = [
        f"{measure}_{months}m"
        for months in (short, long)
        for measure in ("num_tx", "gasto", "puntos_ganados", "puntos_redimidos")
    ]
    return [
        "num_tx_total",
        "total_gasto",
        "recencia_dias",
        "log_num_tx_total",
        "log_total_gasto",
        *windows,
        f"gasto_{category}_{params.category_months}m",
        f"pct_{category}_{params.category_months}m",
        f"compra_{category}",
        f"avg_gasto_{category}_{short}m",
        f"avg_gasto_{category}_{long}m",
        "edad",
        "estrato_social",
        "saldo_puntos",
    ]


def rule_columns(params: FeatureParams) -> list[str]:
    """What is always computed beside the requirement: a flag, and what the business rule reads.

    Returns:
        `sin_historial`, and the purchases of the category in the window before the cutoff.
    """
    return ["sin_historial", f"compras_{params.slug}_{params.window_months[0]}m"]


def extended_columns(params: FeatureParams) -> list[str]:
    """The features that can be switched off."""
    category, (short, long) = params.slug, params.window_months
    return [
        *(
            f"compras_{category}_{months}m"
            for months in sorted({long, params.category_months} - {short})
        ),
        f"compras_{category}_mismo_trimestre",
        f"recencia_{category}_dias",
        "antiguedad_dias",
        "dias_entre_compras",
        "ticket_promedio",
        f"tendencia_gasto_{short}m",
        f"rubros_distintos_{params.category_months}m",
        *history_columns(params),
    ]


def history_columns(params: FeatureParams) -> list[str]:
    """The extended features that only the model that scores customers learns from.

    How often the category was bought, how regularly, and how long ago by that measure.
    """
    category = params.slug
    return [
        f"compras_{category}_ultimo_mes",
        f"compras_{category}_trimestre_2",
        f"compras_{category}_trimestre_3",
        f"compras_{category}_total",
        f"compras_{category}_por_trimestre",
        f"proporcion_compras_{category}",
        f"dias_entre_compras_{category}",
        f"atraso_{category}",
    ]


def customer_features(
    transactions: ir.Table, customers: ir.Table, cutoff: Cutoff, params: FeatureParams
) -> ir.Table:
    """One row per customer with a transaction: what was known of them before their cutoff.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `rubro`,
            `valor_transaccion`, `puntos`, `tipo_transaccion`.
        customers: One row per customer: `id_cliente`, `fecha_nacimiento`, `estrato_social`,
            `saldo_puntos`; customers who are missing here have missing attributes.

    Returns:
        `id_cliente` (PII), the required features, those of `rule_columns` and, if switched on, the
        extended ones; float64, missing values as 0. Amounts in the data's currency, windows
        `[cutoff - n months, cutoff)`, recency and age at the cutoff in days and whole years.
    """
    history = _aggregate_history(transactions, cutoff, params)
    known = history.left_join(customers, KEY, rname="{name}_right")
    flag, recent_purchases = rule_columns(params)
    columns = _compute_required_features(known, params) | {
        flag: known["num_tx_total"].isnull().cast("int8"),
        recent_purchases: known[f"_bought_{params.window_months[0]}m"],
    }
    chosen = required_columns(params) + rule_columns(params)
    if params.extended:
        columns |= _compute_extended_features(known, params)
        chosen += extended_columns(params)
    return known.select(
        KEY, **{name: columns[name].cast("float64").fill_null(0.0) for name in chosen}
    )


def add_inactive_customers(features: ir.Table, customers: ir.Table) -> ir.Table:
    """The features, and a row of zeros for each known customer without any transaction.

    Returns:
        One row per customer; those added have `sin_historial` = 1.
    """
    silent = customers.anti_join(features, KEY).select(
        KEY,
        **{
            name: ibis.literal(1.0 if name == "sin_historial" else 0.0)
            for name in features.columns
            if name != KEY
        },
    )
    return features.union(silent)


def is_purchase(rows: ir.Table, params: FeatureParams) -> ir.BooleanValue:
    """Whether a row is a purchase of the category: of the category, and no refund."""
    bought = (rows["rubro"] == params.rubro) & (rows["valor_transaccion"] > 0)
    if params.purchase_types is None:
        return bought
    return bought & rows["tipo_transaccion"].isin(params.purchase_types)


def _aggregate_history(transactions: ir.Table, cutoff: Cutoff, params: FeatureParams) -> ir.Table:
    """One row per customer: every aggregate that the features are made of.

    Boundaries are computed once per customer and each row is placed into its windows once; rows at
    or past the cutoff are gone before anything is summed.
    """
    anchors = customer_cutoffs(transactions, cutoff)
    past = _select_past_transactions(transactions, anchors, cutoff, params)
    measures = _required_aggregates(past, params)
    if params.extended:
        measures |= _extended_aggregates(past, params)
    return anchors.left_join(past.group_by(KEY).agg(**measures), KEY).drop(f"{KEY}_right")


def _select_past_transactions(
    transactions: ir.Table, anchors: ir.Table, cutoff: Cutoff, params: FeatureParams
) -> ir.Table:
    """The transactions before their customer's cutoff, each placed into its windows."""
    months = {*params.window_months, params.category_months}
    if params.extended:
        months |= {SEASON, SEASON - params.target_months, 1}
        months |= {params.target_months * quarter for quarter in (1, 2, 3)}
    windows = sorted(months)
    rows = _convert_amounts(transactions, params)
    if cutoff.mode == "calendar":
        as_of = make_timestamp(cutoff.as_of)
        past = rows.filter(rows["fecha"] < as_of)
        starts = {m: months_before(as_of, m) for m in windows}
    else:
        boundaries = {f"_from_{m}m": months_before(anchors[CUTOFF], m) for m in windows}
        dated = rows.join(anchors.select(KEY, CUTOFF, **boundaries), KEY)
        past = dated.filter(dated["fecha"] < dated[CUTOFF])
        starts = {m: past[f"_from_{m}m"] for m in windows}
    return past.mutate(**{f"_in_{m}m": past["fecha"] >= start for m, start in starts.items()})


def _convert_amounts(transactions: ir.Table, params: FeatureParams) -> ir.Table:
    """The transactions as they are summed: cents and points as float64, each kind in its column."""
    # A double holds whole numbers up to 2**53 exactly, so that sums of cents are as exact as those
    # of decimals (up to 90 trillion per customer), in half the memory. Projected here and not once
    # for all steps: what two steps share, the engine keeps.
    cents = (transactions["valor_transaccion"] * CENTS).cast("float64")
    points = transactions["puntos"].cast("float64")
    columns: dict[str, ir.Value] = {
        "_cents": cents,
        "_category_cents": (transactions["rubro"] == params.rubro).ifelse(cents, 0.0),
        "_points": points,
        "_earned": (points > 0).ifelse(points, 0.0),
        "_bought": is_purchase(transactions, params),
    }
    if params.extended:
        columns["rubro"] = transactions["rubro"]
    return transactions.select(KEY, "fecha", **columns)


def _required_aggregates(past: ir.Table, params: FeatureParams) -> dict[str, ir.Value]:
    cents, category_cents = past["_cents"], past["_category_cents"]
    points, earned = past["_points"], past["_earned"]
    year = past[f"_in_{params.category_months}m"]
    measures = {
        "num_tx_total": past.count(),
        "total_gasto": cents.sum() / CENTS,
        "_last": past["fecha"].max(),
        "_points_before": points.sum(),
        "_year": cents.sum(where=year) / CENTS,
        "_category_year": category_cents.sum(where=year) / CENTS,
        "_purchases": past.count(where=year & past["_bought"]),
    }
    for months in params.window_months:
        window = past[f"_in_{months}m"]
        measures |= {
            f"num_tx_{months}m": past.count(where=window),
            f"gasto_{months}m": cents.sum(where=window) / CENTS,
            f"puntos_ganados_{months}m": earned.sum(where=window),
            f"puntos_redimidos_{months}m": earned.sum(where=window) - points.sum(where=window),
            f"_category_{months}m": category_cents.sum(where=window) / CENTS,
        }
    short = params.window_months[0]
    return measures | {
        f"_bought_{short}m": past.count(where=past["_bought"] & past[f"_in_{short}m"])
    }


def _extended_aggregates(past: ir.Table, params: FeatureParams) -> dict[str, ir.Value]:
    bought = past["_bought"]
    season = past[f"_in_{SEASON}m"] & ~past[f"_in_{SEASON - params.target_months}m"]
    counts = {
        f"_bought_{months}m": past.count(where=bought & past[f"_in_{months}m"])
        for months in {params.window_months[1], params.category_months}
    }
    quarters = {
        f"_bought_quarter_{quarter}": past.count(
            where=bought
            & past[f"_in_{params.target_months * quarter}m"]
            & ~past[f"_in_{params.target_months * (quarter - 1)}m"]
        )
        for quarter in (2, 3)
    }
    return (
        counts
        | quarters
        | {
            "_bought_1m": past.count(where=bought & past["_in_1m"]),
            "_bought_year": past.count(where=bought & past[f"_in_{SEASON}m"]),
            "_bought_total": past.count(where=bought),
            "_first_bought": past["fecha"].min(where=bought),
            "_bought_season": past.count(where=bought & season),
            "_last_bought": past["fecha"].max(where=bought),
            "_first": past["fecha"].min(),
            "_kinds": past["rubro"].nunique(where=past[f"_in_{params.category_months}m"]),
        }
    )


def _compute_required_features(known: ir.Table, params: FeatureParams) -> dict[str, ir.Value]:
    category, (short, long) = params.slug, params.window_months
    months = params.category_months
    category_spent, spent = clip_refunds(known["_category_year"], known["_year"])
    balance = known["saldo_puntos"]
    if params.points_balance == "at_cutoff":
        # the balance was extracted after the cutoff, so what moved since is taken off
        moved_since = known["_points"].fill_null(0) - known["_points_before"].fill_null(0)
        balance = balance - moved_since
    columns: dict[str, ir.Value] = {
        name: known[name] for name in required_columns(params) if name in known.columns
    }
    return columns | {
        "recencia_dias": days_between(known["_last"], known[CUTOFF]),
        "log_num_tx_total": compute_nonnegative_log1p(known["num_tx_total"]),
        "log_total_gasto": compute_nonnegative_log1p(known["total_gasto"]),
        f"gasto_{category}_{months}m": known["_category_year"],
        f"pct_{category}_{months}m": category_spent / spent.nullif(0.0),
        f"compra_{category}": (known["_purchases"] > 0).cast("int8"),
        f"avg_gasto_{category}_{short}m": known[f"_category_{short}m"].cast("float64") / short,
        f"avg_gasto_{category}_{long}m": known[f"_category_{long}m"].cast("float64") / long,
        "edad": age_in_years(known["fecha_nacimiento"], known[CUTOFF]),
        "estrato_social": known["estrato_social"],
        "saldo_puntos": balance,
    }


def _compute_extended_features(known: ir.Table, params: FeatureParams) -> dict[str, ir.Value]:
    category, (short, long) = params.slug, params.window_months
    count = known["num_tx_total"]
    spent_short, spent_long = clip_refunds(known[f"gasto_{short}m"], known[f"gasto_{long}m"])
    counts = {
        f"compras_{category}_{months}m": known[f"_bought_{months}m"]
        for months in (long, params.category_months)
    }
    total = known["_bought_total"]
    tenure = days_between(known["_first"], known[CUTOFF]).cast("float64")
    quarters = ibis.least(ibis.greatest(tenure, QUARTER), YEAR) / QUARTER
    last_bought = days_between(known["_last_bought"], known[CUTOFF]).cast("float64")
    gap = days_between(known["_first_bought"], known["_last_bought"]).cast("float64") / (
        (total - 1).cast("float64").nullif(0.0)
    )
    history: dict[str, ir.Value] = {
        f"compras_{category}_ultimo_mes": known["_bought_1m"],
        f"compras_{category}_trimestre_2": known["_bought_quarter_2"],
        f"compras_{category}_trimestre_3": known["_bought_quarter_3"],
        f"compras_{category}_total": total,
        f"compras_{category}_por_trimestre": known["_bought_year"].cast("float64") / quarters,
        f"proporcion_compras_{category}": total.cast("float64") / count.cast("float64").nullif(0.0),
        f"dias_entre_compras_{category}": gap,
        f"atraso_{category}": last_bought / ibis.greatest(gap, 1.0),
    }
    return (
        counts
        | history
        | {
            f"compras_{category}_mismo_trimestre": known["_bought_season"],
            f"recencia_{category}_dias": days_between(known["_last_bought"], known[CUTOFF]),
            "antiguedad_dias": days_between(known["_first"], known[CUTOFF]),
            "dias_entre_compras": days_between(known["_first"], known["_last"]).cast("float64")
            / (count - 1).cast("float64").nullif(0.0),
            "ticket_promedio": known["total_gasto"].cast("float64")
            / count.cast("float64").nullif(0.0),
            # monthly spend of the short window over that of the long one; 1 is a steady customer
            f"tendencia_gasto_{short}m": (spent_short / short) / (spent_long / long).nullif(0.0),
            f"rubros_distintos_{params.category_months}m": known["_kinds"],
        }
    )


def days_between(earlier: ir.TimestampValue, later: ir.TimestampValue) -> ir.IntegerValue:
    """Calendar days from one moment's date to another's."""
    return later.date().delta(earlier.date(), unit="day")


def clip_refunds(
    part: ir.NumericValue, whole: ir.NumericValue
) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    """A part and its whole, such that `0 <= part <= whole` whatever refunds do.

    A part below 0 counts as 0, and so does the rest of the whole.
    """
    own = ibis.greatest(part.cast("float64"), 0.0)
    return own, ibis.greatest(whole.cast("float64"), own)


def compute_nonnegative_log1p(amount: ir.NumericValue) -> ir.FloatingValue:
    """`log1p(max(amount, 0))`, so that refunds in excess of purchases count as nothing."""
    return (ibis.greatest(amount.cast("float64"), 0.0) + 1.0).ln()


def age_in_years(birth: ir.DateValue, moment: ir.TimestampValue) -> ir.IntegerValue:
    """Whole years from birth to a moment, written so that every engine agrees.

    Returns:
        Completed years; null where the birth date is missing, or past the moment.
    """
    birthday_ahead = (moment.month() * 100 + moment.day()) < (birth.month() * 100 + birth.day())
    years = moment.year() - birth.year() - birthday_ahead.cast("int32")
    return (years >= 0).ifelse(years, None)


class OrdinalClass(FrozenSettings):
    """One class of the business rule.

    Attributes:
        name: What the class is called in the data.
        at_least: Purchases from which a customer belongs to it.
        value: Its place on the ordinal scale, which need not be evenly spaced.
    """

    name: str = Field(min_length=1)
    at_least: int = Field(ge=0)
    value: float


class OrdinalTarget(FrozenSettings):
    """The business rule that turns purchases into ordered classes."""

    classes: tuple[OrdinalClass, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _check_classes_ascend(self) -> Self:
        bounds = [c.at_least for c in self.classes]
        values = [c.value for c in self.classes]
        names = [c.name for c in self.classes]
        ascend = all(a < b for numbers in (bounds, values) for a, b in pairwise(numbers))
        if bounds[0] != 0 or not ascend:
            raise ValueError("classes should ascend in at_least (from 0) and in value")
        if len(set(names)) < len(names):
            raise ValueError("class names should differ")
        return self


def customer_target(
    transactions: ir.Table, cutoff: Cutoff, params: FeatureParams, target: OrdinalTarget
) -> ir.Table:
    """One row per customer with a transaction: their class in the target window.

    Returns:
        `id_cliente` (PII), `compras_objetivo` (purchases in the window) and the target column
        `target_compra_<slug>` (class name).
    """
    dated = add_cutoff(transactions, cutoff)
    counted = is_in_target_window(dated, cutoff) & is_purchase(dated, params)
    bought = dated.group_by(KEY).agg(compras_objetivo=counted.sum().fill_null(0).cast("int64"))
    lowest, *higher = target.classes
    reached = [
        (bought["compras_objetivo"] >= c.at_least, ibis.literal(c.name)) for c in reversed(higher)
    ]
    name = ibis.cases(*reached, else_=ibis.literal(lowest.name))
    return bought.mutate(**{params.target: name})
