"""The page of an exploration: its sections, their tables, and what they say in Spanish."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from clientela.pipelines.eda.activity import format_step_names
from clientela.pipelines.eda.association import (
    EdaParameters,
    Exploration,
    Frames,
    Persistence,
    Target,
)
from clientela.pipelines.eda.column_profile import Profile
from clientela.pipelines.eda.findings import describe_binary_rule
from clientela.reporting.page import Block, Bullets, Image, Page, Section, Table, Text
from clientela.text import NumberFormat

KINDS = {
    "key": "clave",
    "number": "número",
    "category": "categoría",
    "date": "fecha",
    "flag": "indicador",
    "other": "otro",
}
NUMBER_NAMES = {
    "column": "Columna",
    "mean": "Media",
    "std": "Desv.",
    "minimum": "Mín.",
    "q25": "P25",
    "q50": "Mediana",
    "q75": "P75",
    "q95": "P95",
    "maximum": "Máx.",
    "zeros": "Ceros",
    "negative": "Neg.",
    "skewness": "Asim.",
    "kurtosis": "Curt.",
}


def build_table_section(
    profile: Profile, drawn: Mapping[str, Figure], numbers: NumberFormat
) -> Section:
    """What a report says about one table."""
    blocks: list[Block] = [_build_structure_table(profile, numbers)]
    if not profile.numbers.empty:
        values = profile.numbers[list(NUMBER_NAMES)].rename(columns=NUMBER_NAMES)
        note = (
            "Desviación estándar; asimetría; curtosis: exceso sobre la normal. Percentiles exactos "
            "(rango más cercano)."
        )
        tails = "Del percentil 1 al 99; en claro, lo que queda fuera por cada lado."
        blocks += [
            Table("Columnas numéricas", values, note=note),
            Image("Distribución de las columnas", drawn[f"{profile.name}_numbers"], tails),
        ]
    if not profile.categories.empty:
        blocks.append(Image("Valores más comunes", drawn[f"{profile.name}_categories"]))
    return Section(f"Tabla {profile.name}", tuple(blocks))


def _build_structure_table(profile: Profile, numbers: NumberFormat) -> Table:
    columns = profile.columns
    frame = pd.DataFrame(
        {
            "Columna": columns["column"],
            "Tipo": columns["type"],
            "Uso": columns["kind"].map(KINDS),
            "Faltantes": columns["missing"],
            "% faltantes": columns["missing"] / columns["rows"].where(columns["rows"] > 0),
            "Distintos": columns["distinct"],
            "Desde": columns["first"].str.slice(0, 10),
            "Hasta": columns["last"].str.slice(0, 10),
        }
    )
    undated = ["Desde", "Hasta"] if frame["Desde"].isna().all() else []
    note = f"{numbers.text(profile.rows)} filas."
    if profile.repeated is not None:
        note += f" Repiten a otra salvo en su clave: {numbers.text(profile.repeated)}."
    shown = frame.drop(columns=undated)
    return Table("Estructura y calidad", shown, {"% faltantes": "percent"}, note)


RULE_NAMES = {
    "buyers": "Compran en la ventana posterior",
    "accuracy": "Exactitud de «compró antes»",
    "majority_accuracy": "Exactitud de la respuesta más común",
    "repeated": "Repiten la clase",
    "repeated_among_buyers": "Repiten la clase, entre quienes compran en ambas",
}
STRENGTH_NAMES = {
    "column": "Columna",
    "rank_correlation": "Correlación de rangos",
    "auc": "AUC",
    "cramers_v": "V de Cramér",
}


def build_persistence_section(
    persistence: Persistence, findings: Mapping[str, Any], figure: Figure, numbers: NumberFormat
) -> Section:
    """Whether last quarter predicts this one, and what that means for a binary target."""
    start, middle, end = persistence.borders
    note = (
        f"Clientes según sus compras de {persistence.category} de {start} a {middle} (filas) y de "
        f"{middle} a {end} (columnas); el último día de cada ventana no cuenta. Son los clientes "
        f"que compraron algo antes de {middle}."
    )
    rule = [(name, findings["persistence"]["binary_rule"][key]) for key, name in RULE_NAMES.items()]
    frame = pd.DataFrame(rule, columns=["Medida", "Valor"]).astype({"Valor": float})
    blocks: tuple[Block, ...] = (
        Text(describe_binary_rule(findings, numbers), emphasis=True),
        Image("¿Predice el trimestre pasado a éste?", figure, note),
        Table("La regla «compró antes» ante la pregunta binaria", frame, {"Valor": "percent"}),
    )
    return Section("Persistencia de la compra", blocks)


def build_target_sections(target: Target, drawn: Mapping[str, Figure]) -> list[Section]:
    """The classes, and every column against them."""
    means = target.means.pivot_table(index="column", columns="class", values="mean")
    order = [name for name in target.associations["column"] if name in means.index]
    wide = means.reindex(index=order, columns=list(target.classes))
    wide.columns = pd.Index(target.classes, name=None)
    blocks: list[Block] = [
        Image(
            "Clases según quintos de las columnas que más acompañan al objetivo",
            drawn["class_mix"],
            "Cada barra es un quinto de las filas; un valor que llena varios quintos los une, y "
            "donde uno solo los llena casi todos, las colas a su lado tienen barra propia.",
        ),
        Table(
            "Cada columna sola frente al objetivo",
            target.associations[list(STRENGTH_NAMES)].rename(columns=STRENGTH_NAMES),
            dict.fromkeys(list(STRENGTH_NAMES.values())[1:], "decimal"),
            "Sobre los quintos de la columna. AUC: cualquier clase por encima de la primera.",
        ),
        Table("Media por clase", wide.rename_axis("Columna").reset_index()),
    ]
    if not target.category_associations.empty:
        names = {"column": "Columna", "cramers_v": "V de Cramér"}
        frame = target.category_associations[list(names)].rename(columns=names)
        blocks.append(Table("Categorías frente al objetivo", frame, {"V de Cramér": "decimal"}))
    note = f"«{target.name}» entra por el orden de sus clases; en blanco, lo que no varía."
    correlations = Image("Correlación de Pearson", drawn["correlations"], note)
    return [
        Section("Objetivo", (Image("Filas por clase", drawn["classes"]),)),
        Section("Columnas frente al objetivo", tuple(blocks)),
        Section("Correlaciones", (correlations,)),
    ]


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


def build_activity_sections(
    activity: Frames, drawn: Mapping[str, Figure], parameters: EdaParameters
) -> list[Section]:
    """What a report says about buying: over time, by category, by customer."""
    months, frequencies = activity["months"], activity["frequencies"]
    dated = months.assign(month=pd.to_datetime(months["month"]).dt.strftime("%Y-%m"))
    shares = category_shares(activity, parameters.top_categories, parameters.min_rows)
    steps = frequencies.assign(at_least=format_step_names(frequencies["at_least"].tolist()))
    over_time = (
        Image(
            "Actividad por mes",
            drawn["months"],
            "El primer y el último mes pueden estar incompletos.",
        ),
        Table("Meses", dated[list(MONTH_NAMES)].rename(columns=MONTH_NAMES)),
        Image("Actividad por día y hora", drawn["hours"]),
    )
    by_category = Table(
        "Categorías",
        shares[list(CATEGORY_NAMES)].rename(columns=CATEGORY_NAMES),
        {"Parte del monto": "percent", "Clientes": "percent"},
        "Clientes: parte que compra en ella. Grafías: de cuántas maneras está escrita; se comparan "
        "sin tildes ni mayúsculas.",
    )
    by_customer = Table(
        "Clientes por número de transacciones",
        steps[list(FREQUENCY_NAMES)].rename(columns=FREQUENCY_NAMES),
    )
    weights = Image("Peso de cada categoría", drawn["categories"])
    concentration = Image("Frecuencia y concentración", drawn["customers"])
    return [
        Section("Actividad en el tiempo", over_time),
        Section("Categorías", (weights, by_category)),
        Section("Clientes", (concentration, by_customer)),
    ]


def category_shares(activity: Frames, top: int, min_customers: int) -> pd.DataFrame:
    """One row per category shown, and one for the others together.

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


def build_exploration_page(
    exploration: Exploration,
    findings: Mapping[str, Any],
    drawn: Mapping[str, Figure],
    parameters: EdaParameters,
) -> Page:
    """The report of one entry: what is most telling stands first, what to do about it last."""
    numbers = parameters.numbers
    sections: list[Section] = []
    if exploration.persistence is not None:
        sections.append(
            build_persistence_section(
                exploration.persistence, findings, drawn["persistence"], numbers
            )
        )
    if exploration.target is not None:
        sections += build_target_sections(exploration.target, drawn)
    if exploration.activity is not None:
        sections += build_activity_sections(exploration.activity, drawn, parameters)
    sections += [build_table_section(profile, drawn, numbers) for profile in exploration.profiles]
    advice = tuple(f"{item['table']}: {item['text']}" for item in findings["recommendations"])
    return Page(
        title=f"Análisis exploratorio: {exploration.entry}",
        subtitle=" · ".join(
            f"{p.name}: {numbers.text(p.rows)} filas" for p in exploration.profiles
        ),
        summary=tuple(findings["summary"]),
        sections=(*sections, Section("Recomendaciones", (Bullets(advice or ("Ninguna.",)),))),
    )
