"""Sections of a report about buying: over time, by category, by customer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from clientela.reports.activity_charts import step_names
from clientela.reports.exploration import Frames
from clientela.reports.page import Image, Section, Table
from clientela.reports.parameters import EdaParameters

MONTH_NAMES = {
    "month": "Mes",
    "rows": "Transacciones",
    "customers": "Clientes",
    "bought": "Monto comprado",
    "refunds": "Devoluciones",
    "refunded": "Monto devuelto",
    "earned": "Puntos ganados",
    "redeemed": "Puntos redimidos",
}
CATEGORY_NAMES = {
    "rubro": "Categoría",
    "rows": "Transacciones",
    "bought": "Monto",
    "amount_share": "Parte del monto",
    "customer_share": "Clientes",
    "refunds": "Devoluciones",
    "spellings": "Grafías",
}
FREQUENCY_NAMES = {
    "at_least": "Transacciones por cliente",
    "customers": "Clientes",
    "rows": "Transacciones",
}


def activity_sections(
    activity: Frames, drawn: Mapping[str, Figure], parameters: EdaParameters
) -> list[Section]:
    """What a report says about buying.

    Args:
        activity: See `clientela.reports.activity.activity`.
        drawn: `months`, `hours`, `categories`, `customers`.
        parameters: Which categories are shown by name.

    Returns:
        Three sections.
    """
    shares = category_shares(activity, parameters.top_categories, parameters.min_rows)
    return [
        _over_time(activity["months"], drawn),
        _by_category(shares, drawn["categories"]),
        _by_customer(activity["frequencies"], drawn["customers"]),
    ]


def _over_time(months: pd.DataFrame, drawn: Mapping[str, Figure]) -> Section:
    dated = months.assign(month=pd.to_datetime(months["month"]).dt.strftime("%Y-%m"))
    note = "El primer y el último mes pueden estar incompletos."
    blocks = (
        Image("Actividad por mes", drawn["months"], note),
        Table("Meses", dated[list(MONTH_NAMES)].rename(columns=MONTH_NAMES)),
        Image("Actividad por día y hora", drawn["hours"]),
    )
    return Section("Actividad en el tiempo", blocks)


def _by_category(shares: pd.DataFrame, figure: Figure) -> Section:
    table = Table(
        "Categorías",
        shares[list(CATEGORY_NAMES)].rename(columns=CATEGORY_NAMES),
        {"Parte del monto": "percent", "Clientes": "percent"},
        "Clientes: parte que compra en ella. Grafías: de cuántas maneras está escrita; se comparan "
        "sin tildes ni mayúsculas.",
    )
    return Section("Categorías", (Image("Peso de cada categoría", figure), table))


def _by_customer(frequencies: pd.DataFrame, figure: Figure) -> Section:
    steps = frequencies.assign(at_least=step_names(frequencies["at_least"].tolist()))
    table = Table(
        "Clientes por número de transacciones",
        steps[list(FREQUENCY_NAMES)].rename(columns=FREQUENCY_NAMES),
    )
    return Section("Clientes", (Image("Frecuencia y concentración", figure), table))


def category_shares(activity: Frames, top: int, min_customers: int) -> pd.DataFrame:
    """One row per category shown, and one for the others together.

    Args:
        activity: `categories` and `frequencies`.
        top: Categories shown by name.
        min_customers: Categories of fewer customers are never shown by name.

    Returns:
        The columns of `categories`, `amount_share`, `customer_share` (nan for the others: their
        customers overlap).
    """
    everything = activity["categories"]
    named = everything[everything["customers"] >= min_customers].head(top)
    rest = everything.drop(named.index)
    sums = {name: rest[name].sum() for name in ("rows", "bought", "refunds")}
    others = pd.DataFrame([{"rubro": f"(otras {len(rest)})", **sums}])
    shown = pd.concat([named, others], ignore_index=True) if len(rest) else named
    return shown.assign(
        amount_share=shown["bought"] / (everything["bought"].sum() or 1),
        customer_share=shown["customers"] / (activity["frequencies"]["customers"].sum() or 1),
    )
