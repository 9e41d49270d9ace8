"""Section of a report about one table: structure, quality, distributions."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from clientela.reports.numbers import NumberFormat
from clientela.reports.page import Block, Image, Section, Table
from clientela.reports.profile import Profile

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


def table_section(profile: Profile, drawn: Mapping[str, Figure], numbers: NumberFormat) -> Section:
    """What a report says about one table.

    Args:
        profile: The table.
        drawn: `<table>_numbers` and `<table>_categories`.
        numbers: How numbers are written.

    Returns:
        One section.
    """
    blocks: list[Block] = [_structure(profile, numbers)]
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


def _structure(profile: Profile, numbers: NumberFormat) -> Table:
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
