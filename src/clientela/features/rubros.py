"""What the transactions hold, for choosing the columns of customer segments."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clientela.exceptions import ModelFileError
from clientela.features.cutoff import make_timestamp, months_before
from clientela.features.segment_settings import (
    REST,
    ColumnGroup,
    ColumnLayout,
    SegmentFeatureParams,
)
from clientela.features.transactions import KEY

if TYPE_CHECKING:
    # a served model places customers without an engine, and starts without loading one
    import ibis.expr.types as ir
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from clientela.features.transactions import CENTS, age_in_years, days_between

# What the transactions hold, for choosing the columns of customer segments.
#
# Nothing after the date of the model is counted. Coverage is counted in the window that features
# see, while every rubro up to that date is listed: one that a person configured may rest a season.


def collect_rubro_counts(
    transactions: ir.Table, params: SegmentFeatureParams
) -> dict[str, ir.Table]:
    """When the transactions took place, which rubros there are, and which values.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `categoria`, `rubro`,
            `valor_transaccion`, and the configured categoricals where the data have them.
        params: Date and length of the window, and the categoricals.

    Returns:
        `period`: one row, `first` and `last` (timestamps) of all transactions, which a date that
        precedes them is compared with; `rubros`: one row per `rubro` and spelling (`categoria`) up
        to the date, with `customers` who bought there in the window, and its `rows` in the window;
        `values`: one row per categorical (`column`) and `value` as text, with `rows`, the purchases
        in the window.
    """
    fecha = transactions["fecha"]
    return {
        "period": transactions.agg(first=fecha.min(), last=fecha.max()),
        "rubros": _count_rubros(_filter_to_model_date(transactions, params)),
        "values": _count_category_values(transactions, params),
    }


def is_purchase(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row is a purchase: of a positive amount, and so no refund."""
    return rows["valor_transaccion"] > 0


def _filter_to_model_date(transactions: ir.Table, params: SegmentFeatureParams) -> ir.Table:
    """The transactions up to the date of the model, each with `_in_window` and `_bought`."""
    end = _resolve_window_end(transactions, params)
    past = transactions.filter(transactions["fecha"] < end)
    in_window: ir.BooleanValue = ibis.literal(value=True)
    if params.window_months is not None:
        in_window = past["fecha"] >= months_before(end, params.window_months)
    return past.mutate(_in_window=in_window, _bought=in_window & is_purchase(past))


def _resolve_window_end(transactions: ir.Table, params: SegmentFeatureParams) -> ir.TimestampValue:
    """Midnight after the date of the model."""
    if params.fecha_modelo is not None:
        return make_timestamp(params.fecha_modelo) + ibis.interval(days=1)
    last = transactions.agg(last=transactions["fecha"].max())
    return last["last"].as_scalar().truncate("D") + ibis.interval(days=1)


def _count_rubros(seen: ir.Table) -> ir.Table:
    return seen.group_by("rubro", "categoria").agg(
        customers=seen[KEY].nunique(where=seen["_bought"]),
        rows=seen.count(where=seen["_in_window"]),
    )


def _count_category_values(transactions: ir.Table, params: SegmentFeatureParams) -> ir.Table:
    present = [name for name in params.categoricals if name in transactions.columns]
    if not present:
        nothing = transactions.filter(ibis.literal(value=False))
        return _count_rows_by_value(nothing, KEY, "")
    seen = _filter_to_model_date(transactions, params)
    bought = seen.filter(seen["_bought"])
    return ibis.union(*(_count_rows_by_value(bought, name, name) for name in present))


def _count_rows_by_value(rows: ir.Table, column: str, name: str) -> ir.Table:
    """One row per value of a column."""
    values = rows.select(value=rows[column].cast("string"))
    known = values.filter(values["value"].notnull())
    counts = known.group_by("value").agg(rows=known.count())
    return counts.select("value", "rows", column=ibis.literal(name))


# How much of a customer each rubro is: their percentile among those who bought there.


RUBRO = "_rubro"
PURCHASES = "_purchases"
CENTS_SPENT = "_cents_spent"
SCORE = "_score"
HIGHEST = "_highest_score"
NOTHING = ibis.literal(0.0)
"""No more than any spend that has a score."""


def add_rubro_scores(per_rubro: ir.Table) -> ir.Table:
    """The rows with the percentile rank of each customer's spend among the buyers of a rubro.

    That is the share of the buyers there with a positive net spend who spent as much or less
    (SQL's `cume_dist`): the heaviest buyer has 1, equal spends share a score, no buyer has 0.

    Args:
        per_rubro: One row per customer and rubro: `_rubro`, `_purchases`, `_cents_spent` (net).

    Returns:
        The same rows with `_score`; 0 for who did not buy there, or returned as much.
    """
    scored = (per_rubro[PURCHASES] > 0) & (per_rubro[CENTS_SPENT] > 0)
    rank = ibis.cume_dist().over(
        group_by=[per_rubro[RUBRO], scored], order_by=per_rubro[CENTS_SPENT]
    )
    return per_rubro.mutate(**{SCORE: scored.ifelse(rank, 0.0)})


def compute_highest_score(per_rubro: ir.Table, layout: ColumnLayout) -> ir.FloatingScalar:
    """A customer's highest score outside the pooled rest, to aggregate their rows by.

    Args:
        per_rubro: See `with_scores`; `_rubro` is the place in the layout.

    Returns:
        The score; null for who has no row there.
    """
    named = [place for place, slug in enumerate(layout.slugs) if slug != REST]
    return per_rubro[SCORE].max(where=per_rubro[RUBRO].isin(named))


def add_top_rubro(table: ir.Table, layout: ColumnLayout) -> ir.Table:
    """The rows with the label of the rubro that has the highest score.

    Of equal scores the one of larger spend counts, of equal spends the label that comes first. The
    pooled rest is a customer's top rubro only where they have no score elsewhere.

    Args:
        table: One row per customer: `_highest_score`, and of each rubro `score_<slug>` and
            `gasto_<slug>`.

    Returns:
        The same rows with `rubro_top`; null for who has no score.
    """
    ordered = sorted(layout.rubros, key=lambda rubro: (rubro.label, rubro.slug))
    named = [rubro for rubro in ordered if rubro.slug != REST]
    spent = {
        rubro.slug: (table[f"score_{rubro.slug}"] == table[HIGHEST]).ifelse(
            table[f"gasto_{rubro.slug}"], NOTHING
        )
        for rubro in named
    }
    most = table.mutate(_most=ibis.greatest(NOTHING, *spent.values()) if spent else NOTHING)
    highest = most[HIGHEST]
    top = [
        (
            (most[f"score_{rubro.slug}"] == highest)
            & (most[f"gasto_{rubro.slug}"] == most["_most"]),
            rubro.label,
        )
        for rubro in named
    ]
    return most.mutate(rubro_top=ibis.cases((highest <= 0, _label_pooled_rest(most, layout)), *top))


def _label_pooled_rest(table: ir.Table, layout: ColumnLayout) -> ir.StringValue:
    """The label of the pooled rest for who has a score there."""
    if REST not in layout.slugs:
        return ibis.null("string")
    return (table[f"score_{REST}"] > 0).ifelse(layout.labels[REST], ibis.null("string"))


# From customer features to the matrix that clusters are made from.


TOTALS = ("num_tx", "gasto_total", "ticket_promedio", "recencia_dias", "rubros_distintos")
SHARE, SCORE_PREFIX = "participacion_", "score_"

EVERYBODY = slice(None)


def list_matrix_columns(layout: ColumnLayout, groups: Sequence[ColumnGroup]) -> list[str]:
    """The columns of the groups, in the order of the groups and of the layout."""
    per_rubro = {
        "participacion": f"{SHARE}{{}}",
        "frecuencia": "frecuencia_{}",
        "monto_promedio": "monto_promedio_{}",
        "recencia": "recencia_{}_dias",
        "score": f"{SCORE_PREFIX}{{}}",
    }
    values = [f"{SHARE}{column}_{slug}" for column, of in layout.value_slugs.items() for slug in of]
    columns: list[str] = []
    for group in dict.fromkeys(groups):
        if group in per_rubro:
            columns += [per_rubro[group].format(slug) for slug in layout.slugs]
        else:
            columns += TOTALS if group == "totales" else values
    return columns


def list_clustering_columns(layout: ColumnLayout, groups: Sequence[ColumnGroup]) -> list[str]:
    """What segments are made from and named by: purchases, the matrix, and shares.

    Args:
        groups: Which kinds of features the matrix has.

    Returns:
        Column names, some of them maybe twice.
    """
    return ["num_tx", *list_matrix_columns(layout, groups), *(f"{SHARE}{s}" for s in layout.slugs)]


def build_matrix(
    features: pd.DataFrame,
    columns: Sequence[str],
    *,
    transformed: bool,
    where: np.ndarray | slice = EVERYBODY,
) -> np.ndarray:
    """The columns as numbers, one row per customer.

    Args:
        transformed: Whether shares enter as their square root, and counts, amounts and days as
            their logarithm. The root of shares makes the distance the Hellinger distance (Rao
            1995), to which rare rubros do not matter more than frequent ones.
        where: Which customers; taking their rows out of the whole table first would copy columns
            that nobody asked for.

    Raises:
        ModelFileError: Columns are absent: the features are of another layout than the model.
    """
    _require_matrix_columns(columns, features.columns)
    values = np.empty((len(features.index[where]), len(columns)))
    for place, name in enumerate(columns):
        column = features[name].to_numpy(dtype="float64")[where]
        values[:, place] = get_column_transform(name)(column) if transformed else column
    return values


def select_columns(features: "ir.Table", columns: Sequence[str]) -> "ir.Table":
    """The features with some columns alone: at a million customers all of them fill gigabytes.

    Args:
        columns: Which ones; repeated ones count once.

    Raises:
        ModelFileError: Columns are absent: the features are of another layout than the model.
    """
    _require_matrix_columns(columns, features.columns)
    return features.select(*dict.fromkeys(columns))


def _require_matrix_columns(columns: Sequence[str], found: Iterable[str]) -> None:
    known = set(found)
    absent = [name for name in columns if name not in known]
    if absent:
        raise ModelFileError(
            f"The segments were made from columns that the features no longer have: "
            f"{', '.join(absent)}. Run kedro run "
            "--pipelines=feature_engineering,segmentation,scoring to make segments from today's "
            "rubros."
        )


def get_column_transform(column: str) -> Callable[[np.ndarray], np.ndarray]:
    """How a column enters the matrix where columns are transformed; see `matrix`.

    Returns:
        From its values to those of the matrix.
    """
    if column.startswith(SHARE):
        return np.sqrt
    if column.startswith(SCORE_PREFIX):
        return np.asarray
    return lambda values: np.log1p(np.maximum(values, 0.0))


# Customer features per rubro as one lazy expression: what was bought, where, how long ago.
#
# Transactions are summed once per customer and rubro; scores are ranked on those sums, and one more
# aggregate spreads them into columns. A score compares a customer with all others, so this table
# must be computed whole and not in buckets of customers.


DEMOGRAPHICS = ("fecha_nacimiento", "genero", "estrato_social")
CENTS_BOUGHT, DAYS, SHARED = "_cents_bought", "_days", "_shared"


def list_rubro_feature_columns(layout: ColumnLayout) -> list[str]:
    """The numbers of `customer_features`, in order; key, top rubro and demographics excluded."""
    per_rubro = [
        name
        for slug in layout.slugs
        for name in (
            f"frecuencia_{slug}",
            f"gasto_{slug}",
            f"monto_promedio_{slug}",
            f"{SHARE}{slug}",
            f"recencia_{slug}_dias",
            f"score_{slug}",
        )
    ]
    return [*TOTALS, *per_rubro, *_list_value_columns(layout)]


def aggregate_rubro_features(
    transactions: ir.Table, customers: ir.Table, layout: ColumnLayout, params: SegmentFeatureParams
) -> ir.Table:
    """One row per customer, those who never bought included: what they buy, rubro by rubro.

    Purchases are rows of a positive amount; spend is net of refunds.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `rubro`,
            `valor_transaccion`, and the layout's categoricals where the data have them.
        customers: One row per known customer: `id_cliente`, `fecha_nacimiento`, `genero`,
            `estrato_social`.
        layout: Date of the model, rubros, values.
        params: Length of the window, and whether other rubros are pooled.

    Returns:
        `id_cliente` (PII); `num_tx` (purchases), `gasto_total` (net spend), `ticket_promedio` (mean
        amount of a purchase), `recencia_dias` (days from the last purchase to the day after
        `fecha_modelo`), `rubros_distintos`; per rubro `frecuencia_` (purchases), `gasto_`,
        `monto_promedio_`, `participacion_` (share of the customer's spend, negative spends as 0),
        `recencia_…_dias`, `score_` (0..1); per value of a categorical `participacion_` (share of
        purchases). Who never bought has a recency of the whole window: its days, or without one
        those from the first transaction on. All float64 without nulls; then `rubro_top` (label),
        `edad` (whole years, PII), `genero` (PII), `estrato_social`, which may be missing.
    """
    window = _FeatureWindow.of(layout, params)
    rows = window.rows(transactions)
    wide = _aggregate_by_customer(
        add_rubro_scores(_aggregate_by_rubro(rows, layout, window, params)), layout
    )
    if layout.categoricals:
        wide = wide.join(_count_by_value(rows, layout), KEY)
    known = wide.outer_join(customers.select(KEY, *DEMOGRAPHICS), KEY, rname="{name}_known")
    everybody = known.mutate(**{KEY: known[KEY].coalesce(known[f"{KEY}_known"])})
    numbers = _fill_features(everybody, layout, window.days(rows))
    highest = everybody[HIGHEST].fill_null(0.0)
    scored = everybody.select(KEY, *DEMOGRAPHICS, **numbers, **{HIGHEST: highest})
    complete = add_top_rubro(scored, layout)
    return complete.select(
        KEY,
        *list_rubro_feature_columns(layout),
        "rubro_top",
        edad=age_in_years(complete["fecha_nacimiento"], window.end).cast("float64"),
        genero=complete["genero"],
        estrato_social=complete["estrato_social"].cast("float64"),
    )


@dataclass(frozen=True)
class _FeatureWindow:
    """What features see: rows from `start` (None: from the first one) up to before `end`."""

    start: ir.TimestampValue | None
    end: ir.TimestampValue

    @classmethod
    def of(cls, layout: ColumnLayout, params: SegmentFeatureParams) -> Self:
        end = make_timestamp(layout.fecha_modelo + timedelta(days=1))
        months = params.window_months
        return cls(None if months is None else months_before(end, months), end)

    def rows(self, transactions: ir.Table) -> ir.Table:
        """The transactions inside."""
        past = transactions.filter(transactions["fecha"] < self.end)
        return past if self.start is None else past.filter(past["fecha"] >= self.start)

    def days(self, rows: ir.Table) -> ir.IntegerValue:
        """Its length: no buyer's recency exceeds it."""
        start = self.start
        if start is None:
            start = rows.agg(_first=rows["fecha"].min())["_first"].as_scalar()
        return days_between(start, self.end)


def _aggregate_by_rubro(
    rows: ir.Table, layout: ColumnLayout, window: _FeatureWindow, params: SegmentFeatureParams
) -> ir.Table:
    """One row per customer and rubro (its place in the layout, null for those outside it)."""
    measured = rows.select(
        KEY,
        _cents=(rows["valor_transaccion"] * CENTS).cast("float64"),
        _bought=is_purchase(rows),
        _ago=days_between(rows["fecha"], window.end).cast("int32"),
        **{RUBRO: _assign_rubro_position(rows["rubro"], layout, params)},
    )
    bought = measured["_bought"]
    return measured.group_by(KEY, RUBRO).agg(
        **{
            PURCHASES: measured.count(where=bought).cast("int32"),
            CENTS_SPENT: measured["_cents"].sum(),
            CENTS_BOUGHT: measured["_cents"].sum(where=bought),
            DAYS: measured["_ago"].min(where=bought),
        }
    )


def _assign_rubro_position(
    rubro: ir.StringValue, layout: ColumnLayout, params: SegmentFeatureParams
) -> ir.IntegerValue:
    """Where a rubro stands in the layout; a pooled rest takes in those not seen before."""
    places = [
        (rubro.isin(each.members), ibis.literal(place, "int16"))
        for place, each in enumerate(layout.rubros)
        if each.members
    ]
    pooled = params.pool_rest and REST in layout.slugs
    rest = ibis.literal(layout.slugs.index(REST) if pooled else None, "int16")
    return ibis.cases(*places, else_=rest) if places else rest


def _list_value_columns(layout: ColumnLayout) -> list[str]:
    return [
        f"{SHARE}{column}_{slug}" for column, slugs in layout.value_slugs.items() for slug in slugs
    ]


def _aggregate_by_customer(per_rubro: ir.Table, layout: ColumnLayout) -> ir.Table:
    """One row per customer with a transaction: sums of all rubros, and each rubro's own.

    Of a rubro a customer has one row at most. Its maximum is that row's value, and takes the engine
    less memory than a sum: with 14 rubros that is what this table is made of.
    """
    inside = per_rubro[RUBRO].notnull()
    cents, purchases = per_rubro[CENTS_SPENT], per_rubro[PURCHASES]
    measures = {
        "num_tx": purchases.sum(),
        "gasto_total": cents.sum() / CENTS,
        "_bought": per_rubro[CENTS_BOUGHT].sum() / CENTS,
        "recencia_dias": per_rubro[DAYS].min(),
        "rubros_distintos": per_rubro.count(where=inside & (purchases > 0)),
        HIGHEST: compute_highest_score(per_rubro, layout),
        SHARED: ibis.greatest(cents, 0.0).sum(where=inside) / CENTS,
    }
    for place, slug in enumerate(layout.slugs):
        here = per_rubro[RUBRO] == place
        measures |= {
            f"frecuencia_{slug}": purchases.max(where=here),
            f"gasto_{slug}": cents.max(where=here) / CENTS,
            f"_bought_{slug}": per_rubro[CENTS_BOUGHT].max(where=here) / CENTS,
            f"recencia_{slug}_dias": per_rubro[DAYS].max(where=here),
            f"score_{slug}": per_rubro[SCORE].max(where=here),
        }
    return per_rubro.group_by(KEY).agg(**measures)


def _count_by_value(rows: ir.Table, layout: ColumnLayout) -> ir.Table:
    """One row per customer with a transaction: purchases per value of the categoricals."""
    bought = is_purchase(rows)
    counts: dict[str, ir.IntegerValue] = {}
    for column, slugs in layout.categoricals.items():
        text = rows[column].cast("string") if column in rows.columns else ibis.literal("")
        for slug in layout.value_slugs[column]:
            spellings = [value for value, of in slugs.items() if of == slug]
            counts[f"{SHARE}{column}_{slug}"] = rows.count(where=bought & text.isin(spellings))
    return rows.group_by(KEY).agg(**counts)


def _fill_features(
    everybody: ir.Table, layout: ColumnLayout, never: ir.Value
) -> dict[str, ir.Value]:
    """Every number of `feature_columns`, complete."""
    count, spent = everybody["num_tx"], everybody[SHARED]
    found: dict[str, ir.Value] = {
        "num_tx": count,
        "gasto_total": everybody["gasto_total"],
        "ticket_promedio": _compute_ratio(everybody["_bought"], count),
        "recencia_dias": everybody["recencia_dias"].fill_null(never),
        "rubros_distintos": everybody["rubros_distintos"],
    }
    for slug in layout.slugs:
        own, often = everybody[f"gasto_{slug}"], everybody[f"frecuencia_{slug}"]
        found |= {
            f"frecuencia_{slug}": often,
            f"gasto_{slug}": own,
            f"monto_promedio_{slug}": _compute_ratio(everybody[f"_bought_{slug}"], often),
            f"{SHARE}{slug}": _compute_ratio(ibis.greatest(own, 0.0), spent),
            f"recencia_{slug}_dias": everybody[f"recencia_{slug}_dias"].fill_null(never),
            f"score_{slug}": everybody[f"score_{slug}"],
        }
    found |= {name: _compute_ratio(everybody[name], count) for name in _list_value_columns(layout)}
    return {name: value.cast("float64").fill_null(0.0) for name, value in found.items()}


def _compute_ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    return part.cast("float64") / whole.cast("float64").nullif(0.0)
