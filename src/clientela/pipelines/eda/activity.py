"""Activity of buyers, from transactions of any number: over time, by category, by customer."""

from collections.abc import Callable, Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clientela.reporting.style import (
    ACCENT,
    MAIN,
    WEEKDAYS,
    draw_bars,
    draw_heatmap,
    draw_ranked_bars,
    format_axis_numbers,
    make_empty_figure,
    make_panels,
    write_title,
)
from clientela.text import NumberFormat

# Fewest transactions of each step in the distribution of customers.
CUSTOMER_STEPS = (1, 2, 3, 6, 11, 21, 51, 101)


def aggregate_activity(transactions: ir.Table) -> dict[str, ir.Table]:
    """Everything the report says about buying, as small tables.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `rubro`, `categoria`,
            `valor_transaccion`; `puntos` where the data has them.
    """
    return {name: aggregate(transactions) for name, aggregate in AGGREGATES.items()}


def aggregate_by_month(transactions: ir.Table) -> ir.Table:
    """One row per calendar month with transactions.

    Returns:
        `month` (its first day), `rows`, `customers`, `bought` (sum of positive amounts),
        `refunds` (rows), `refunded` (sum of negative amounts), `earned`, `redeemed` (points).
    """
    points = transactions["puntos"] if "puntos" in transactions.columns else ibis.literal(0)
    dated = transactions.mutate(
        month=transactions["fecha"].date().truncate("M"),
        _amount=transactions["valor_transaccion"],
        _points=points,
    )
    bought, points = dated["_amount"], dated["_points"]
    return (
        dated.group_by("month")
        .agg(
            rows=dated.count(),
            customers=dated["id_cliente"].nunique(),
            bought=bought.sum(where=bought > 0).fill_null(0),
            refunds=(bought < 0).sum(),
            refunded=bought.sum(where=bought < 0).fill_null(0),
            earned=points.sum(where=points > 0).fill_null(0),
            redeemed=-points.sum(where=points < 0).fill_null(0),
        )
        .order_by("month")
    )


def aggregate_by_hour(transactions: ir.Table) -> ir.Table:
    """One row per weekday and hour with transactions."""
    when = transactions["fecha"]
    timed = transactions.select(weekday=when.day_of_week.index(), hour=when.hour())
    return timed.group_by("weekday", "hour").agg(rows=timed.count()).order_by("weekday", "hour")


def aggregate_by_category(transactions: ir.Table) -> ir.Table:
    """One row per category, largest amount first.

    Returns:
        `rubro`, `spellings` (ways it is written), `rows`, `customers`, `bought`, `refunds`.
    """
    amount = transactions["valor_transaccion"]
    return (
        transactions.group_by("rubro")
        .agg(
            spellings=transactions["categoria"].nunique(),
            rows=transactions.count(),
            customers=transactions["id_cliente"].nunique(),
            bought=amount.sum(where=amount > 0).fill_null(0),
            refunds=(amount < 0).sum(),
        )
        .order_by(ibis.desc("bought"), "rubro")
    )


def count_customers_by_frequency(transactions: ir.Table) -> ir.Table:
    """One row per step of activity: how many customers have so many transactions."""
    people = transactions.group_by("id_cliente").agg(count=transactions.count())
    steps = [(people["count"] >= step, step) for step in reversed(CUSTOMER_STEPS)]
    stepped = people.mutate(at_least=ibis.cases(*steps, else_=0).cast("int64"))
    return (
        stepped.group_by("at_least")
        .agg(customers=stepped.count(), rows=stepped["count"].sum())
        .order_by("at_least")
    )


def compute_concentration(transactions: ir.Table) -> ir.Table:
    """One row per tenth of the customers by amount, the best tenth first.

    Returns:
        `tenth` (1: the best), `customers`, `bought` (sum of positive amounts).
    """
    amount = transactions["valor_transaccion"]
    people = transactions.group_by("id_cliente").agg(
        bought=amount.sum(where=amount > 0).fill_null(0)
    )
    order = ibis.row_number().over(order_by=[ibis.desc(people["bought"]), people["id_cliente"]])
    ranked = people.mutate(_place=order, _all=people.count().over())
    placed = ranked.mutate(tenth=(ranked["_place"] * 10 // ranked["_all"]).cast("int64") + 1)
    return (
        placed.group_by("tenth")
        .agg(customers=placed.count(), bought=placed["bought"].sum())
        .order_by("tenth")
    )


AGGREGATES: Mapping[str, Callable[[ir.Table], ir.Table]] = {
    "months": aggregate_by_month,
    "hours": aggregate_by_hour,
    "categories": aggregate_by_category,
    "frequencies": count_customers_by_frequency,
    "concentration": compute_concentration,
}
# Months that can be named below one axis.
LABELS = 14
EMPTY = "No hay transacciones."
MONTHS = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")


def plot_monthly_activity(months: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Amount, transactions and customers by month, one panel each."""
    if months.empty:
        return make_empty_figure(EMPTY)
    dates = pd.to_datetime(months["month"])
    figure, axes = make_panels(3, 1, 6.2)
    titles = {"bought": "Monto comprado", "rows": "Transacciones", "customers": "Clientes activos"}
    for panel, (column, title) in zip(axes, titles.items(), strict=True):
        draw_bars(
            panel,
            [""] * len(dates),
            months[column].tolist(),
            MAIN if column == "bought" else ACCENT,
        )
        format_axis_numbers(panel, "y", numbers)
        write_title(panel, title)
    step = -(-len(dates) // LABELS)
    places = range(0, len(dates), step)
    labels = [f"{MONTHS[dates.iloc[p].month - 1]}\n{dates.iloc[p].year}" for p in places]
    axes[-1].set_xticks(list(places), labels)
    return figure


def plot_hourly_activity(hours: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """When people buy: share of transactions by weekday and hour.

    Returns:
        The figure; weekdays alone where the data has no times of day.
    """
    if hours.empty:
        return make_empty_figure(EMPTY)
    counts = np.zeros((7, 24))
    np.add.at(counts, (hours["weekday"].to_numpy(int), hours["hour"].to_numpy(int)), hours["rows"])
    shares = counts / counts.sum()
    if (hours["hour"] == 0).all():
        figure, (panel,) = make_panels(1, 1, 2.4)
        days = shares.sum(axis=1).tolist()
        draw_ranked_bars(panel, WEEKDAYS, days, [numbers.percent(day) for day in days])
        return figure
    figure, (panel,) = make_panels(1, 1, 2.9)
    draw_heatmap(panel, shares)
    panel.set_yticks(range(7), WEEKDAYS)
    panel.set_xticks(range(0, 24, 2), [f"{hour} h" for hour in range(0, 24, 2)])
    busiest = np.unravel_index(int(shares.argmax()), shares.shape)
    share = numbers.percent(float(shares.max()))
    write_title(
        panel, f"Lo más activo: {WEEKDAYS[busiest[0]]} a las {busiest[1]} h ({share} de las filas)"
    )
    return figure


def plot_category_shares(categories: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Share of the amount and of the customers by category."""
    if categories.empty:
        return make_empty_figure(EMPTY)
    labels = categories["rubro"].astype(str).tolist()
    figure, axes = make_panels(1, 2, 0.7 + 0.27 * len(labels))
    titles = {"amount_share": "Parte del monto", "customer_share": "Clientes que compran en ella"}
    for panel, (column, title) in zip(axes, titles.items(), strict=True):
        shares = [float(share) for share in categories[column]]
        draw_ranked_bars(panel, labels, shares, [numbers.percent(share) for share in shares])
        write_title(panel, title)
    axes[1].set_yticks([])
    return figure


def plot_customer_distribution(
    frequencies: pd.DataFrame, concentration: pd.DataFrame, numbers: NumberFormat
) -> Figure:
    """How often customers buy, and how much of the amount is the best customers'."""
    if frequencies.empty:
        return make_empty_figure(EMPTY)
    figure, (left, right) = make_panels(1, 2, 2.9)
    draw_bars(
        left, format_step_names(frequencies["at_least"].tolist()), frequencies["customers"].tolist()
    )
    format_axis_numbers(left, "y", numbers)
    write_title(left, "Clientes por número de transacciones")
    total = float(concentration["bought"].sum()) or 1.0
    draw_bars(
        right,
        [str(t) for t in concentration["tenth"]],
        (concentration["bought"] / total).tolist(),
        ACCENT,
    )
    right.yaxis.set_major_formatter(lambda value, _: numbers.percent(float(value), 0))
    write_title(right, "Parte del monto por décimo de clientes (1: el mejor)")
    return figure


def format_step_names(steps: Sequence[int]) -> list[str]:
    """What steps of counts are called, from the fewest transactions of each step."""
    ends = [following - 1 for following in steps[1:]]
    closed = [
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(steps[:-1], ends, strict=True)
    ]
    return [*closed, f"{steps[-1]}+"] if steps else []
