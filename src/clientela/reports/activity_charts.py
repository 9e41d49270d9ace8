"""Figures of buying over time, by category and by customer."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clientela.reports.numbers import NumberFormat
from clientela.reports.style import (
    ACCENT,
    MAIN,
    WEEKDAYS,
    bars,
    heat,
    panels,
    ranked,
    titled,
    without_data,
    write_numbers,
)

LABELS = 14
"""Months that can be named below one axis."""
EMPTY = "No hay transacciones."
MONTHS = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")


def months_figure(months: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Amount, transactions and customers by month, one panel each.

    Args:
        months: See `clientela.reports.activity.months`.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    if months.empty:
        return without_data(EMPTY)
    dates = pd.to_datetime(months["month"])
    figure, axes = panels(3, 1, 6.2)
    titles = {"bought": "Monto comprado", "rows": "Transacciones", "customers": "Clientes activos"}
    for panel, (column, title) in zip(axes, titles.items(), strict=True):
        bars(
            panel,
            [""] * len(dates),
            months[column].tolist(),
            MAIN if column == "bought" else ACCENT,
        )
        write_numbers(panel, "y", numbers)
        titled(panel, title)
    step = -(-len(dates) // LABELS)
    places = range(0, len(dates), step)
    labels = [f"{MONTHS[dates.iloc[p].month - 1]}\n{dates.iloc[p].year}" for p in places]
    axes[-1].set_xticks(list(places), labels)
    return figure


def hours_figure(hours: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """When people buy: share of transactions by weekday and hour.

    Args:
        hours: See `clientela.reports.activity.hours`.
        numbers: How numbers are written.

    Returns:
        The figure; weekdays alone where the data has no times of day.
    """
    if hours.empty:
        return without_data(EMPTY)
    counts = np.zeros((7, 24))
    np.add.at(counts, (hours["weekday"].to_numpy(int), hours["hour"].to_numpy(int)), hours["rows"])
    shares = counts / counts.sum()
    if (hours["hour"] == 0).all():
        figure, (panel,) = panels(1, 1, 2.4)
        days = shares.sum(axis=1).tolist()
        ranked(panel, WEEKDAYS, days, [numbers.percent(day) for day in days])
        return figure
    figure, (panel,) = panels(1, 1, 2.9)
    heat(panel, shares)
    panel.set_yticks(range(7), WEEKDAYS)
    panel.set_xticks(range(0, 24, 2), [f"{hour} h" for hour in range(0, 24, 2)])
    busiest = np.unravel_index(int(shares.argmax()), shares.shape)
    share = numbers.percent(float(shares.max()))
    titled(
        panel, f"Lo más activo: {WEEKDAYS[busiest[0]]} a las {busiest[1]} h ({share} de las filas)"
    )
    return figure


def category_shares_figure(categories: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Share of the amount and of the customers by category.

    Args:
        categories: The categories shown, with `rubro`, `amount_share`, `customer_share`.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    if categories.empty:
        return without_data(EMPTY)
    labels = categories["rubro"].astype(str).tolist()
    figure, axes = panels(1, 2, 0.7 + 0.27 * len(labels))
    titles = {"amount_share": "Parte del monto", "customer_share": "Clientes que compran en ella"}
    for panel, (column, title) in zip(axes, titles.items(), strict=True):
        shares = [float(share) for share in categories[column]]
        ranked(panel, labels, shares, [numbers.percent(share) for share in shares])
        titled(panel, title)
    axes[1].set_yticks([])
    return figure


def customers_figure(
    frequencies: pd.DataFrame, concentration: pd.DataFrame, numbers: NumberFormat
) -> Figure:
    """How often customers buy, and how much of the amount is the best customers'.

    Args:
        frequencies: See `clientela.reports.activity.frequencies`.
        concentration: See `clientela.reports.activity.concentration`.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    if frequencies.empty:
        return without_data(EMPTY)
    figure, (left, right) = panels(1, 2, 2.9)
    bars(left, step_names(frequencies["at_least"].tolist()), frequencies["customers"].tolist())
    write_numbers(left, "y", numbers)
    titled(left, "Clientes por número de transacciones")
    total = float(concentration["bought"].sum()) or 1.0
    bars(
        right,
        [str(t) for t in concentration["tenth"]],
        (concentration["bought"] / total).tolist(),
        ACCENT,
    )
    right.yaxis.set_major_formatter(lambda value, _: f"{numbers.text(100 * float(value))} %")
    titled(right, "Parte del monto por décimo de clientes (1: el mejor)")
    return figure


def step_names(steps: Sequence[int]) -> list[str]:
    """What steps of counts are called.

    Args:
        steps: Fewest transactions of each step, rising.

    Returns:
        For example `1`, `3-5`, `101+`.
    """
    ends = [following - 1 for following in steps[1:]]
    closed = [
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(steps[:-1], ends, strict=True)
    ]
    return [*closed, f"{steps[-1]}+"] if steps else []
