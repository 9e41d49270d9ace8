"""Rubros from transactions: which ones there are, and what each customer buys in each of them.

All of it is one lazy expression per table. Transactions are summed once per customer and rubro;
scores are ranked on those sums, and one more aggregate spreads them into columns. A score compares
a customer with all others, so the features must be computed whole, not in buckets of customers.
"""

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from clientela.features.segment_columns import (
    AFTER_MODEL_DATE,
    BEFORE_WINDOW,
    IN_WINDOW,
    NO_TRANSACTION,
    REST,
    RUBRO_COLUMNS,
    SHARE,
    TOTALS,
    ColumnLayout,
    SegmentFeatureParams,
)
from clientela.features.transactions import (
    CENTS,
    KEY,
    age_in_years,
    days_between,
    make_timestamp,
    months_before,
)

RUBRO, PURCHASES, CENTS_SPENT, CENTS_BOUGHT, DAYS, SCORE = (
    "_rubro", "_purchases", "_cents_spent", "_cents_bought", "_days", "_score",
)  # fmt: skip
HIGHEST, SHARED = "_highest_score", "_shared"
DEMOGRAPHICS = ("fecha_nacimiento", "genero", "estrato_social")
# No more than any spend that has a score.
NOTHING = ibis.literal(0.0)


def collect_rubro_counts(
    transactions: ir.Table, customers: ir.Table, params: SegmentFeatureParams
) -> dict[str, ir.Table]:
    """When the transactions took place, which rubros and values there are, and which customers.

    Nothing after the date of the model is counted. Coverage is counted in the window that features
    see, while every rubro up to that date is listed: one that
    a person configured may rest a season.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `categoria`, `rubro`,
            `valor_transaccion`, and the configured categoricals where the data have them.

    Returns:
        `period`: one row, `first` and `last` (timestamps) of all transactions, which a date that
        precedes them is compared with; `rubros`: one row per `rubro` and spelling (`categoria`) up
        to the date, with `customers` who bought there in the window, and its `rows` in the window;
        `values`: one row per categorical (`column`) and `value` as text, with `rows`, the purchases
        in the window; `customers`: one row per `activity` with the `customers` who are known from
        a transaction or from the table of customers.
    """
    fecha = transactions["fecha"]
    if params.fecha_modelo is None:
        day = transactions.agg(last=fecha.max())["last"].as_scalar().truncate("D")
    else:
        day = make_timestamp(params.fecha_modelo)
    end = day + ibis.interval(days=1)
    past = transactions.filter(fecha < end)
    in_window: ir.BooleanValue = ibis.literal(value=True)
    if params.window_months is not None:
        in_window = past["fecha"] >= months_before(end, params.window_months)
    marked = past.mutate(_in_window=in_window, _bought=in_window & is_purchase(past))
    bought = marked.filter(marked["_bought"])
    columns = transactions.columns
    values = [_count_values(bought, name, name) for name in params.categoricals if name in columns]
    nothing = _count_values(transactions.filter(ibis.literal(value=False)), KEY, "")
    return {
        "period": transactions.agg(first=fecha.min(), last=fecha.max()),
        "rubros": marked.group_by("rubro", "categoria").agg(
            customers=marked[KEY].nunique(where=marked["_bought"]),
            rows=marked.count(where=marked["_in_window"]),
        ),
        "values": ibis.union(*values) if values else nothing,
        "customers": _count_known_customers(marked, transactions, customers),
    }


def _count_known_customers(
    marked: ir.Table, transactions: ir.Table, customers: ir.Table
) -> ir.Table:
    """One row per activity: whoever is known at all, by their latest trace.

    Args:
        marked: Transactions up to the date of the model, and whether each is `_in_window`.
    """
    seen = marked.group_by(KEY).agg(_recent=marked["_in_window"].any())
    listed = customers.select(KEY).distinct().mutate(_listed=ibis.literal(value=True))
    everybody = ibis.union(transactions.select(KEY), customers.select(KEY), distinct=True)
    known = everybody.left_join(seen, KEY).drop(f"{KEY}_right").left_join(listed, KEY)
    activity = ibis.cases(
        (known["_recent"], IN_WINDOW),
        (known["_recent"].notnull(), BEFORE_WINDOW),
        (known["_listed"], NO_TRANSACTION),
        else_=AFTER_MODEL_DATE,
    )
    rows = known.select(KEY, activity=activity)
    return rows.group_by("activity").agg(customers=rows.count())


def is_purchase(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row is a purchase: of a positive amount, and so no refund."""
    return rows["valor_transaccion"] > 0


def _count_values(rows: ir.Table, column: str, name: str) -> ir.Table:
    """One row per value of a column."""
    values = rows.select(value=rows[column].cast("string"))
    known = values.filter(values["value"].notnull())
    counts = known.group_by("value").agg(rows=known.count())
    return counts.select("value", "rows", column=ibis.literal(name))


def list_rubro_feature_columns(layout: ColumnLayout) -> list[str]:
    """The numbers of `customer_features`, in order; key, top rubro and demographics excluded."""
    forms = sorted([*RUBRO_COLUMNS.values(), "gasto_{}"])
    per_rubro = [form.format(slug) for slug in layout.slugs for form in forms]
    return [*TOTALS, *per_rubro, *layout.value_columns]


def aggregate_rubro_features(
    transactions: ir.Table, customers: ir.Table, layout: ColumnLayout, params: SegmentFeatureParams
) -> ir.Table:
    """One row per customer, rubro by rubro: whoever had a transaction until the date, or is listed.

    Purchases are rows of a positive amount; spend is net of refunds.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `rubro`,
            `valor_transaccion`, and the layout's categoricals where the data have them.

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
    end = make_timestamp(layout.fecha_modelo + timedelta(days=1))
    rows = past = transactions.filter(transactions["fecha"] < end)
    if params.window_months is None:
        start = rows.agg(_first=rows["fecha"].min())["_first"].as_scalar()
    else:
        start = months_before(end, params.window_months)
        rows = rows.filter(rows["fecha"] >= start)
    scored = add_rubro_scores(_sum_by_rubro(rows, layout, end, pool_rest=params.pool_rest))
    wide = _spread_rubros(scored, layout)
    if layout.categoricals:
        wide = wide.join(_count_purchases_by_value(rows, layout), KEY)
    # who bought before the window alone is known too
    known = ibis.union(past.select(KEY), customers.select(KEY), distinct=True)
    everybody = (
        known.left_join(wide, KEY)
        .drop(f"{KEY}_right")
        .left_join(customers.select(KEY, *DEMOGRAPHICS), KEY)
    )
    complete = add_top_rubro(
        everybody.select(
            KEY,
            *DEMOGRAPHICS,
            **_fill_features(everybody, layout, days_between(start, end)),
            **{HIGHEST: everybody[HIGHEST].fill_null(0.0)},
        ),
        layout,
    )
    return complete.select(
        KEY,
        *list_rubro_feature_columns(layout),
        "rubro_top",
        edad=age_in_years(complete["fecha_nacimiento"], end).cast("float64"),
        genero=complete["genero"],
        estrato_social=complete["estrato_social"].cast("float64"),
    )


def _sum_by_rubro(
    rows: ir.Table, layout: ColumnLayout, end: ir.TimestampValue, *, pool_rest: bool
) -> ir.Table:
    """One row per customer and rubro (its place in the layout, null for those outside it)."""
    places = [
        (rows["rubro"].isin(rubro.members), ibis.literal(place, "int16"))
        for place, rubro in enumerate(layout.rubros)
        if rubro.members
    ]
    # a pooled rest takes in rubros that were not seen before
    pooled = layout.slugs.index(REST) if pool_rest and REST in layout.slugs else None
    rest = ibis.literal(pooled, "int16")
    measured = rows.select(
        KEY,
        _cents=(rows["valor_transaccion"] * CENTS).cast("float64"),
        _bought=is_purchase(rows),
        _ago=days_between(rows["fecha"], end).cast("int32"),
        **{RUBRO: ibis.cases(*places, else_=rest) if places else rest},
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


def _spread_rubros(per_rubro: ir.Table, layout: ColumnLayout) -> ir.Table:
    """One row per customer with a transaction: sums of all rubros, and each rubro's own.

    Of a rubro a customer has one row at most. Its maximum is that row's value, and takes the engine
    less memory than a sum: with 14 rubros that is what this table is made of.
    """
    inside = per_rubro[RUBRO].notnull()
    named = [place for place, slug in enumerate(layout.slugs) if slug != REST]
    cents, purchases = per_rubro[CENTS_SPENT], per_rubro[PURCHASES]
    measures = {
        "num_tx": purchases.sum(),
        "gasto_total": cents.sum() / CENTS,
        "_bought": per_rubro[CENTS_BOUGHT].sum() / CENTS,
        "recencia_dias": per_rubro[DAYS].min(),
        "rubros_distintos": per_rubro.count(where=inside & (purchases > 0)),
        HIGHEST: per_rubro[SCORE].max(where=per_rubro[RUBRO].isin(named)),
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


def _count_purchases_by_value(rows: ir.Table, layout: ColumnLayout) -> ir.Table:
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
    everybody: ir.Table, layout: ColumnLayout, window_days: ir.Value
) -> dict[str, ir.Value]:
    """Every number of `list_rubro_feature_columns`, complete."""
    count, spent = everybody["num_tx"], everybody[SHARED]
    features: dict[str, ir.Value] = {
        "num_tx": count,
        "gasto_total": everybody["gasto_total"],
        "ticket_promedio": _compute_ratio(everybody["_bought"], count),
        "recencia_dias": everybody["recencia_dias"].fill_null(window_days),
        "rubros_distintos": everybody["rubros_distintos"],
    }
    for slug in layout.slugs:
        own, often = everybody[f"gasto_{slug}"], everybody[f"frecuencia_{slug}"]
        features |= {
            f"frecuencia_{slug}": often,
            f"gasto_{slug}": own,
            f"monto_promedio_{slug}": _compute_ratio(everybody[f"_bought_{slug}"], often),
            f"{SHARE}{slug}": _compute_ratio(ibis.greatest(own, 0.0), spent),
            f"recencia_{slug}_dias": everybody[f"recencia_{slug}_dias"].fill_null(window_days),
            f"score_{slug}": everybody[f"score_{slug}"],
        }
    features |= {name: _compute_ratio(everybody[name], count) for name in layout.value_columns}
    return {name: value.cast("float64").fill_null(0.0) for name, value in features.items()}


def _compute_ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    return part.cast("float64") / whole.cast("float64").nullif(0.0)


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
    spent = [
        (table[f"score_{rubro.slug}"] == table[HIGHEST]).ifelse(
            table[f"gasto_{rubro.slug}"], NOTHING
        )
        for rubro in named
    ]
    most = table.mutate(_most=ibis.greatest(NOTHING, *spent) if spent else NOTHING)
    highest, rest = most[HIGHEST], ibis.null("string")
    if REST in layout.slugs:
        rest = (most[f"score_{REST}"] > 0).ifelse(layout.labels[REST], ibis.null("string"))
    top = [
        (
            (most[f"score_{rubro.slug}"] == highest)
            & (most[f"gasto_{rubro.slug}"] == most["_most"]),
            rubro.label,
        )
        for rubro in named
    ]
    return most.mutate(rubro_top=ibis.cases((highest <= 0, rest), *top))
