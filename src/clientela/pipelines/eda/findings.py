"""What an exploration found and recommends: figures for machines, sentences for people."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import pandas as pd

from clientela.pipelines.eda.association import (
    TARGET_TABLE,
    EdaParameters,
    Exploration,
    Frames,
    Persistence,
    Target,
    evaluate_binary_rule,
)
from clientela.pipelines.eda.column_profile import Profile, choose_bound, is_special_code
from clientela.text import NumberFormat, round_significant

# What the columns of a table ask for before features are built or a model is trained.


# Absolute correlation of two columns that differ in rounding alone.
SAME = 0.9999
LOGARITHM = "log_"
YES_OR_NO = 2


@dataclass(frozen=True)
class Recommendation:
    """One thing to do about one column or pair."""

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
    measurable = profile.columns.query("kind in ('number', 'category') and present > 0")
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
        advice = "tiene valores negativos o cola a la izquierda: mejor recortar que un logaritmo."
        if LOGARITHM + row["column"] in names:
            advice = f"ya existe «{LOGARITHM}{row['column']}»."
        elif row["skewness"] > 0 and row["minimum"] >= 0:
            advice = "se recomienda log1p para modelos lineales (a los árboles no les hace falta)."
        recommendations.append(
            Recommendation(
                "skewed",
                str(row["column"]),
                round_significant(row["skewness"]),
                f"«{row['column']}»: asimetría {parameters.numbers.text(row['skewness'], 1)}; "
                f"{advice}",
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


def find_special_codes(
    profile: Profile, later: Profile | None, entry: str, parameters: EdaParameters
) -> list[Recommendation]:
    """Numbers such as -9999 that stand for something else, with the line that makes them missing.

    Args:
        profile: The table as ingestion accepts it.
        later: The model input made of it, where a declared code is missing; None without one.
    """
    rows = profile.numbers
    if later is not None:
        rows = later.numbers[later.numbers["column"].isin(rows["column"])]
    found = []
    for row, side in product(rows.to_dict("records"), ("lowest", "highest")):
        if not is_special_code(row, side, parameters.special_above):
            continue
        end = "minimum" if side == "lowest" else "maximum"
        code, nearest = float(row[end]), float(row[f"second_{side}"])
        line = f"{{ingestion: {{tables: {{{profile.name}: {{missing_words: ['{code:.15g}']}}}}}}}}"
        if later is not None:
            rule = f"{{{end}: {choose_bound(code, nearest):.15g}}}"
            column = json.dumps(row["column"], ensure_ascii=False)
            line = f"{{features: {{cleaning: {{numbers: {{{column}: {rule}}}}}}}}}"
        share = parameters.numbers.percent(row[f"{side}_rows"] / row["present"])
        text = (
            f"«{row['column']}»: el valor {code:.15g} llena el {share} de las filas, lejos de los "
            f"demás (el más cercano es {nearest:.15g}); si es un código, se declara ausente en "
            f"conf/local/parameters.yml: {entry}: {line}"
        )
        found.append(Recommendation("special_code", str(row["column"]), code, text))
    return found


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


# What an exploration found: figures for machines, sentences for people, the same in each run.


MOST = 3
# Words for kappa after Landis and Koch 1977 (their .61, .41, .21).
AGREEMENT = ((0.6, "alta"), (0.4, "moderada"), (0.2, "débil"))


def describe_persistence(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """Whether last quarter predicts this one."""
    found = findings["persistence"]
    kappa, rule = found["quadratic_weighted_kappa"], found["binary_rule"]
    if rule["repeated"] is None or kappa is None:
        return f"Persistencia en {found['category']}: no hay clientes con historia suficiente."
    word = next((word for least, word in AGREEMENT if kappa >= least), "casi nula")
    return (
        f"La compra de {found['category']} tiene persistencia {word}: el "
        f"{numbers.percent(rule['repeated'])} de los clientes repite la clase de los "
        f"{found['months']} meses anteriores (QWK {numbers.text(kappa, 2)}). Repetir esa clase es "
        "la vara que todo modelo debe superar."
    )


def describe_classes(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """How unequal the classes are."""
    found = findings["target"]
    shares = found["shares"]
    listed = ", ".join(f"{name} {numbers.percent(share or 0)}" for name, share in shares.items())
    ratio = found["imbalance_ratio"]
    unequal = (
        f"La mayor tiene {numbers.text(ratio, 1)} veces las filas de la menor: la exactitud engaña."
        if ratio is not None
        else "Una clase está vacía: el objetivo no se puede aprender así."
    )
    return f"Clases del objetivo: {listed}. {unequal}"


def describe_binary_rule(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """Why "buys or not" is answered before any model, and says little."""
    found = findings["persistence"]
    rule = found["binary_rule"]
    if rule["auc"] is None:
        return "Un objetivo binario (compra / no compra) no tiene aquí dos respuestas que comparar."
    sentence = (
        f"Como problema binario, saber sólo si compró los {found['months']} meses anteriores ya "
        f"acierta el {numbers.percent(rule['accuracy'])} (responder siempre lo más común: "
        f"{numbers.percent(rule['majority_accuracy'])}; AUC {numbers.text(rule['auc'], 2)}, con la "
        f"clase anterior {numbers.text(rule['graded_auc'], 2)}) sin modelo alguno."
    )
    lowest = found["buyers_in_lowest_class"]
    if lowest is None or rule["repeated_among_buyers"] is None:
        return sentence
    return (
        f"{sentence} Y dice poco: «compra» junta a la clase más baja "
        f"({numbers.percent(lowest)} de los compradores) con el cliente intenso, y de quienes "
        f"compran en ambas ventanas el {numbers.percent(rule['repeated_among_buyers'])} mantiene "
        "su clase; ese grado es lo que el objetivo ordinal distingue."
    )


def describe_volume(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """How much buying the data holds."""
    activity, rows = findings["activity"], findings["tables"]["transactions"]["rows"]
    span = findings["tables"]["transactions"]["columns"]["fecha"]
    dates = f" entre {span['first']} y {span['last']}" if "first" in span else ""
    return (
        f"{numbers.text(rows)} transacciones de {numbers.text(activity['customers'])} "
        f"clientes{dates}; monto comprado {numbers.text(activity['bought'] or 0)} "
        f"(moneda de los datos), {numbers.text(activity['refunds'])} devoluciones."
    )


def describe_concentration(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """How unequal customers and categories are."""
    activity = findings["activity"]
    best = numbers.percent(activity["best_tenth_share"] or 0)
    sentence = f"El mejor décimo de los clientes reúne el {best} del monto"
    if not activity["categories"]:
        return sentence + "."
    name, first = next(iter(activity["categories"].items()))
    share, reach = first["amount_share"] or 0, first["customer_share"] or 0
    return (
        f"{sentence}; la categoría mayor, «{name}», el {numbers.percent(share)}, y la compra el "
        f"{numbers.percent(reach)} de los clientes."
    )


def describe_strongest_columns(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """Which columns go most with the target."""
    listed = ", ".join(
        f"{name} ({numbers.text(rho, 2)})"
        for name, rho in list(findings["target"]["rank_correlation"].items())[:MOST]
        if rho is not None
    )
    return (
        f"Lo que más acompaña al objetivo (correlación de rangos): {listed or 'ninguna columna'}."
    )


def describe_quality(findings: Mapping[str, Any], numbers: NumberFormat) -> str:
    """What is wrong with the tables: the emptiest column, repeated rows, recommendations."""
    missing = [
        (figures["missing"] / table["rows"], f"{name}.{column}")
        for name, table in findings["tables"].items()
        for column, figures in table["columns"].items()
        if table["rows"]
    ]
    share, column = max(missing, key=lambda item: (item[0], item[1]), default=(0.0, ""))
    empty = (
        f"la columna con más faltantes es {column} ({numbers.percent(share)})"
        if share
        else "no falta ningún valor"
    )
    advice = findings["recommendations"]
    codes = [f"{i['value']:.15g} en {i['column']}" for i in advice if i["kind"] == "special_code"]
    if codes:
        empty += f", pero hay valores que parecen códigos: {', '.join(codes[:MOST])}"
    repeated = sum(table["repeated_rows"] or 0 for table in findings["tables"].values())
    return (
        f"Calidad: {empty}; {numbers.text(repeated)} filas repiten a otra salvo en su clave; "
        f"{numbers.text(len(advice))} recomendaciones al final."
    )


# What a statement is about, the most telling first; the first ones that apply are the summary.
STATEMENTS: Sequence[tuple[str, Callable[[Mapping[str, Any], NumberFormat], str]]] = (
    ("persistence", describe_persistence),
    ("target", describe_classes),
    ("persistence", describe_binary_rule),
    ("activity", describe_volume),
    ("activity", describe_concentration),
    ("target", describe_strongest_columns),
    ("tables", describe_quality),
)
COLUMN_FIGURES = (
    "missing", "distinct", "mean", "std", "minimum", "maximum", "zeros", "negative", "q05", "q25",
    "q50", "q75", "q95", "skewness", "kurtosis",
)  # fmt: skip
COUNTS = ("missing", "distinct", "zeros", "negative")


def build_findings(exploration: Exploration, parameters: EdaParameters) -> dict[str, Any]:
    """The findings of one entry, as they are stored.

    Returns:
        `entry`, `summary` (sentences), `tables`, `recommendations`, and what applies of
        `activity`, `target`, `persistence`. Floats have six significant digits; no value of a key
        is in it.
    """
    findings: dict[str, Any] = {
        "entry": exploration.entry,
        "tables": {profile.name: _summarize_table(profile) for profile in exploration.profiles},
        "recommendations": [
            {"table": name, **asdict(item)}
            for name, item in collect_recommendations(exploration, parameters)
        ],
    }
    for name, summarize in SUMMARIES.items():
        part = getattr(exploration, name)
        if part is not None:
            findings[name] = summarize(part, parameters)
    statements = [describe for name, describe in STATEMENTS if name in findings][:MOST]
    return findings | {
        "summary": [describe(findings, parameters.numbers) for describe in statements]
    }


def collect_recommendations(
    exploration: Exploration, parameters: EdaParameters
) -> list[tuple[str, Recommendation]]:
    """Every recommendation beside the table it is about, the target's first.

    Returns:
        Table name and recommendation; what was said of a column is not said again where the same
        column stands in a later table.
    """
    target = exploration.target
    about_target: list[Recommendation] = []
    if target is not None:
        about_target += find_suspicious_columns(target.associations, parameters)
        about_target += check_class_imbalance(target.counts, target.classes, parameters)
        about_target += find_correlated_pairs(target.correlations, parameters)
    of_columns: dict[tuple[str, str], tuple[str, Recommendation]] = {}
    for profile in exploration.profiles:
        for item in build_recommendations(profile, parameters):
            of_columns.setdefault((item.kind, item.column), (profile.name, item))
    later = next((p for p in exploration.profiles if p.name == TARGET_TABLE), None)
    for profile in exploration.profiles:
        if profile.name not in (TARGET_TABLE, "customer_features"):  # which nobody has written
            for item in find_special_codes(profile, later, exploration.entry, parameters):
                of_columns[item.text, item.column] = (profile.name, item)
    return [*((TARGET_TABLE, item) for item in about_target), *of_columns.values()]


def _summarize_table(profile: Profile) -> dict[str, Any]:
    columns: dict[str, dict[str, Any]] = {}
    for _, row in profile.columns.iterrows():
        figures: dict[str, Any] = {"type": str(row["type"]), "kind": str(row["kind"])}
        for name in COLUMN_FIGURES:
            if not pd.isna(row[name]):
                whole = name in COUNTS
                figures[name] = int(row[name]) if whole else round_significant(float(row[name]))
        dates = {name: str(row[name])[:10] for name in ("first", "last") if not pd.isna(row[name])}
        columns[str(row["column"])] = figures | dates
    return {"rows": profile.rows, "repeated_rows": profile.repeated, "columns": columns}


def _summarize_activity(activity: Frames, parameters: EdaParameters) -> dict[str, Any]:
    months, categories, tenths = (activity[n] for n in ("months", "categories", "concentration"))
    bought = float(months["bought"].sum())
    customers = int(activity["frequencies"]["customers"].sum())
    named = categories[categories["customers"] >= parameters.min_rows]
    return {
        "customers": customers,
        "months": len(months),
        "bought": round_significant(bought),
        "refunds": int(months["refunds"].sum()),
        "refunded": round_significant(float(months["refunded"].sum())),
        "points_earned": int(months["earned"].sum()),
        "points_redeemed": int(months["redeemed"].sum()),
        "best_tenth_share": _compute_share(tenths["bought"].head(1).sum(), bought),
        "single_purchase_customers": _compute_share(
            activity["frequencies"].query("at_least == 1")["customers"].sum(), customers
        ),
        "categories": {
            str(row["rubro"]): {
                "amount_share": _compute_share(row["bought"], bought),
                "customer_share": _compute_share(row["customers"], customers),
                "spellings": int(row["spellings"]),
            }
            for row in named.to_dict("records")
        },
    }


def _summarize_target(target: Target, _: EdaParameters) -> dict[str, Any]:
    total, counts = sum(target.counts), dict(zip(target.classes, target.counts, strict=True))
    strongest = target.associations.set_index("column")["rank_correlation"]
    return {
        "rows": total,
        "counts": counts,
        "shares": {name: _compute_share(rows, total) for name, rows in counts.items()},
        "imbalance_ratio": _compute_share(max(target.counts), min(target.counts)),
        "rank_correlation": {str(c): round_significant(float(v)) for c, v in strongest.items()},
        "cramers_v": {
            str(row["column"]): round_significant(row["cramers_v"])
            for row in target.category_associations.to_dict("records")
        },
    }


def _summarize_persistence(persistence: Persistence, _: EdaParameters) -> dict[str, Any]:
    rule = asdict(evaluate_binary_rule(persistence.counts))
    after = persistence.counts.sum(axis=0)
    start, middle, end = persistence.borders
    return {
        "category": persistence.category,
        "months": persistence.months,
        "earlier_window": [start, middle],
        "later_window": [middle, end],
        "customers": int(persistence.counts.sum()),
        "classes": list(persistence.classes),
        "counts": persistence.counts.astype(int).tolist(),
        "quadratic_weighted_kappa": round_significant(persistence.kappa),
        "binary_rule": {name: round_significant(value) for name, value in rule.items()},
        "buyers_in_lowest_class": _compute_share(after[1], after[1:].sum()),
    }


def _compute_share(part: float, whole: float) -> float | None:
    return round_significant(float(part) / float(whole)) if whole else None


# Part of an exploration to the figures that are stored of it.
SUMMARIES: Mapping[str, Callable[[Any, EdaParameters], dict[str, Any]]] = {
    "activity": _summarize_activity,
    "target": _summarize_target,
    "persistence": _summarize_persistence,
}
