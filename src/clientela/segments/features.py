"""Customer features per rubro as one lazy expression: what was bought, where, how long ago.

Transactions are summed once per customer and rubro; scores are ranked on those sums, and one more
aggregate spreads them into columns. A score compares a customer with all others, so this table
must be computed whole and not in buckets of customers.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import ibis
import ibis.expr.types as ir

from clientela.features.customer import CENTS, KEY, age_in_years, days_between
from clientela.features.cutoff import as_timestamp, months_before
from clientela.segments.layout import REST, Layout
from clientela.segments.matrix import SHARE, TOTALS
from clientela.segments.observed import is_purchase
from clientela.segments.params import SegmentFeatureParams
from clientela.segments.rubro_scores import (
    CENTS_SPENT,
    HIGHEST,
    PURCHASES,
    RUBRO,
    SCORE,
    highest_score,
    with_rubro_top,
    with_scores,
)

DEMOGRAPHICS = ("fecha_nacimiento", "genero", "estrato_social")
CENTS_BOUGHT, DAYS, SHARED = "_cents_bought", "_days", "_shared"


def feature_columns(layout: Layout) -> list[str]:
    """The numbers of `customer_features`, in order; key, top rubro and demographics excluded.

    Args:
        layout: Rubros and values.

    Returns:
        Column names.
    """
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
    return [*TOTALS, *per_rubro, *_value_columns(layout)]


def customer_features(
    transactions: ir.Table, customers: ir.Table, layout: Layout, params: SegmentFeatureParams
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
    window = _Window.of(layout, params)
    rows = window.rows(transactions)
    wide = _one_row_each(with_scores(_per_rubro(rows, layout, window, params)), layout)
    if layout.categoricals:
        wide = wide.join(_per_value(rows, layout), KEY)
    known = wide.outer_join(customers.select(KEY, *DEMOGRAPHICS), KEY, rname="{name}_known")
    everybody = known.mutate(**{KEY: known[KEY].coalesce(known[f"{KEY}_known"])})
    numbers = _numbers(everybody, layout, window.days(rows))
    highest = everybody[HIGHEST].fill_null(0.0)
    scored = everybody.select(KEY, *DEMOGRAPHICS, **numbers, **{HIGHEST: highest})
    complete = with_rubro_top(scored, layout)
    return complete.select(
        KEY,
        *feature_columns(layout),
        "rubro_top",
        edad=age_in_years(complete["fecha_nacimiento"], window.end).cast("float64"),
        genero=complete["genero"],
        estrato_social=complete["estrato_social"].cast("float64"),
    )


@dataclass(frozen=True)
class _Window:
    """What features see: rows from `start` (None: from the first one) up to before `end`."""

    start: ir.TimestampValue | None
    end: ir.TimestampValue

    @classmethod
    def of(cls, layout: Layout, params: SegmentFeatureParams) -> Self:
        end = as_timestamp(layout.fecha_modelo + timedelta(days=1))
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


def _per_rubro(
    rows: ir.Table, layout: Layout, window: _Window, params: SegmentFeatureParams
) -> ir.Table:
    """One row per customer and rubro (its place in the layout, null for those outside it)."""
    measured = rows.select(
        KEY,
        _cents=(rows["valor_transaccion"] * CENTS).cast("float64"),
        _bought=is_purchase(rows),
        _ago=days_between(rows["fecha"], window.end).cast("int32"),
        **{RUBRO: _place(rows["rubro"], layout, params)},
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


def _place(rubro: ir.StringValue, layout: Layout, params: SegmentFeatureParams) -> ir.IntegerValue:
    """Where a rubro stands in the layout; a pooled rest takes in those not seen before."""
    places = [
        (rubro.isin(each.members), ibis.literal(place, "int16"))
        for place, each in enumerate(layout.rubros)
        if each.members
    ]
    pooled = params.pool_rest and REST in layout.slugs
    rest = ibis.literal(layout.slugs.index(REST) if pooled else None, "int16")
    return ibis.cases(*places, else_=rest) if places else rest


def _value_columns(layout: Layout) -> list[str]:
    return [
        f"{SHARE}{column}_{slug}" for column, slugs in layout.value_slugs.items() for slug in slugs
    ]


def _one_row_each(per_rubro: ir.Table, layout: Layout) -> ir.Table:
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
        HIGHEST: highest_score(per_rubro, layout),
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


def _per_value(rows: ir.Table, layout: Layout) -> ir.Table:
    """One row per customer with a transaction: purchases per value of the categoricals."""
    bought = is_purchase(rows)
    counts: dict[str, ir.IntegerValue] = {}
    for column, slugs in layout.categoricals.items():
        text = rows[column].cast("string") if column in rows.columns else ibis.literal("")
        for slug in layout.value_slugs[column]:
            spellings = [value for value, of in slugs.items() if of == slug]
            counts[f"{SHARE}{column}_{slug}"] = rows.count(where=bought & text.isin(spellings))
    return rows.group_by(KEY).agg(**counts)


def _numbers(everybody: ir.Table, layout: Layout, never: ir.Value) -> dict[str, ir.Value]:
    """Every number of `feature_columns`, complete."""
    count, spent = everybody["num_tx"], everybody[SHARED]
    found: dict[str, ir.Value] = {
        "num_tx": count,
        "gasto_total": everybody["gasto_total"],
        "ticket_promedio": _ratio(everybody["_bought"], count),
        "recencia_dias": everybody["recencia_dias"].fill_null(never),
        "rubros_distintos": everybody["rubros_distintos"],
    }
    for slug in layout.slugs:
        own, often = everybody[f"gasto_{slug}"], everybody[f"frecuencia_{slug}"]
        found |= {
            f"frecuencia_{slug}": often,
            f"gasto_{slug}": own,
            f"monto_promedio_{slug}": _ratio(everybody[f"_bought_{slug}"], often),
            f"{SHARE}{slug}": _ratio(ibis.greatest(own, 0.0), spent),
            f"recencia_{slug}_dias": everybody[f"recencia_{slug}_dias"].fill_null(never),
            f"score_{slug}": everybody[f"score_{slug}"],
        }
    found |= {name: _ratio(everybody[name], count) for name in _value_columns(layout)}
    return {name: value.cast("float64").fill_null(0.0) for name, value in found.items()}


def _ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    return part.cast("float64") / whole.cast("float64").nullif(0.0)
