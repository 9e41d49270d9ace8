"""What the columns of a table ask for before features are built or a model is trained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from clientela.pipelines.eda.column_profile import Profile
from clientela.pipelines.eda.exploration import EdaParameters
from clientela.text import round_significant

SAME = 0.9999
"""Absolute correlation of two columns that differ in rounding alone."""
LOGARITHM = "log_"
YES_OR_NO = 2


@dataclass(frozen=True)
class Recommendation:
    """One thing to do about one column or pair.

    Attributes:
        value: The figure behind it.
        text: The advice, for people.
    """

    kind: str
    column: str
    value: float | None
    text: str


def build_recommendations(profile: Profile, parameters: EdaParameters) -> list[Recommendation]:
    """What the single columns of a table ask for, in the order of `CHECKS`."""
    return [item for check in CHECKS for item in check(profile, parameters)]


def find_incomplete_columns(profile: Profile, parameters: EdaParameters) -> list[Recommendation]:
    """Columns whose missing values are too many to be filled in silence."""
    columns = profile.columns
    shares = (columns["missing"] / columns["rows"].where(columns["rows"] > 0)).fillna(0)
    return [
        Recommendation(
            "missing",
            str(name),
            round_significant(share),
            f"«{name}»: falta en el {parameters.numbers.percent(share)} de las filas; dejar que la "
            "falta sea una variable propia, o imputar dentro del modelo.",
        )
        for name, share in zip(columns["column"], shares, strict=True)
        if share > parameters.missing_above
    ]


def find_constant_columns(profile: Profile, parameters: EdaParameters) -> list[Recommendation]:
    """Columns that hardly vary: a model learns nothing from them."""
    columns = profile.columns
    measurable = columns[columns["kind"].isin(["number", "category"]) & (columns["present"] > 0)]
    recommendations = []
    for row in measurable.to_dict("records"):
        share = 1.0 if row["distinct"] == 1 else row["top_rows"] / row["present"]
        if share > parameters.constant_above or row["distinct"] == 1:
            recommendations.append(
                Recommendation(
                    "constant" if row["distinct"] == 1 else "near_constant",
                    str(row["column"]),
                    round_significant(share),
                    f"«{row['column']}»: un solo valor llena el "
                    f"{parameters.numbers.percent(share)} de las filas; se puede dejar fuera.",
                )
            )
    return recommendations


def find_skewed_columns(profile: Profile, parameters: EdaParameters) -> list[Recommendation]:
    """Columns whose long tail asks for a logarithm; it says so where that already exists."""
    names = set(profile.columns["column"])
    varied = _filter_tail_candidates(profile, parameters)
    skewed = varied[varied["skewness"].abs() > parameters.skewed_above]
    recommendations = []
    for row in skewed.to_dict("records"):
        advice = (
            "tiene valores negativos o cola a la izquierda: mejor recortar extremos que un "
            "logaritmo."
        )
        if LOGARITHM + row["column"] in names:
            advice = f"ya existe «{LOGARITHM}{row['column']}»."
        elif row["skewness"] > 0 and row["minimum"] >= 0:
            advice = "se recomienda log1p para modelos lineales (a los árboles no les hace falta)."
        skewness = parameters.numbers.text(row["skewness"], 1)
        recommendations.append(
            Recommendation(
                "skewed",
                str(row["column"]),
                round_significant(row["skewness"]),
                f"«{row['column']}»: asimetría {skewness}; {advice}",
            )
        )
    return recommendations


def find_heavy_tailed_columns(profile: Profile, parameters: EdaParameters) -> list[Recommendation]:
    """Columns with values so extreme that they move means, scales and linear models."""
    varied = _filter_tail_candidates(profile, parameters)
    heavy = varied[varied["kurtosis"] > parameters.heavy_tailed_above]
    return [
        Recommendation(
            "heavy_tailed",
            str(row["column"]),
            round_significant(row["kurtosis"]),
            f"«{row['column']}»: curtosis {parameters.numbers.text(row['kurtosis'], 1)}, máximo "
            f"{parameters.numbers.readable(row['maximum'])} frente a un percentil 95 de "
            f"{parameters.numbers.readable(row['q95'])}; validar su rango y escalar de forma "
            "robusta (a los árboles no les hace falta).",
        )
        for row in heavy.to_dict("records")
    ]


def _filter_tail_candidates(profile: Profile, parameters: EdaParameters) -> pd.DataFrame:
    """Numeric columns that may have a tail: a flag has none, and a logarithm is not taken twice."""
    numbers = profile.numbers
    near_constant = numbers["top_rows"] > parameters.constant_above * numbers["present"]
    tailless = (numbers["distinct"] <= YES_OR_NO) | numbers["column"].str.startswith(LOGARITHM)
    return numbers[~near_constant & ~tailless]


CHECKS: Sequence[Callable[[Profile, EdaParameters], list[Recommendation]]] = (
    find_incomplete_columns,
    find_constant_columns,
    find_skewed_columns,
    find_heavy_tailed_columns,
)


def find_correlated_pairs(
    correlations: pd.DataFrame, parameters: EdaParameters
) -> list[Recommendation]:
    """Pairs of columns that say the same."""
    strong = correlations[correlations["correlation"].abs() > parameters.correlated_above]
    ordered = strong.assign(size=strong["correlation"].abs()).sort_values(
        ["size", "first", "second"], ascending=[False, True, True]
    )
    return [
        Recommendation(
            "duplicate" if row["size"] >= SAME else "correlated",
            f"{row['first']} ~ {row['second']}",
            round_significant(row["correlation"]),
            f"«{row['first']}» y «{row['second']}» dicen "
            f"{'lo mismo' if row['size'] >= SAME else 'casi lo mismo'} (correlación "
            f"{parameters.numbers.text(row['correlation'], 3)}); basta una en modelos lineales.",
        )
        for row in ordered.to_dict("records")
    ]


def find_suspicious_columns(
    associations: pd.DataFrame, parameters: EdaParameters
) -> list[Recommendation]:
    """Columns that alone tell the target so well that they may come from it."""
    suspects = associations[associations["auc"] >= parameters.suspicious_auc]
    return [
        Recommendation(
            "suspicious",
            str(row["column"]),
            round_significant(row["auc"]),
            f"«{row['column']}»: sola alcanza AUC {parameters.numbers.text(row['auc'], 3)} frente "
            "al objetivo; comprobar que se conoce antes del corte y no es el objetivo disfrazado.",
        )
        for row in suspects.to_dict("records")
    ]


def check_class_imbalance(
    counts: Sequence[int], classes: Sequence[str], parameters: EdaParameters
) -> list[Recommendation]:
    """How much the largest class outweighs the smallest; nothing where a class is empty."""
    largest, smallest = max(counts, default=0), min(counts, default=0)
    if smallest == 0:
        return []
    ratio = largest / smallest
    names = dict(zip(counts, classes, strict=True))
    return [
        Recommendation(
            "imbalance",
            names[smallest],
            round_significant(ratio),
            f"«{names[largest]}» tiene {parameters.numbers.text(ratio, 1)} filas por cada una de "
            f"«{names[smallest]}»: estratificar la partición y no graduar con exactitud.",
        )
    ]
