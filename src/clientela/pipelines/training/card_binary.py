"""What only the card of a binary model tells: costs, calibration, lift, groups, the other test."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clientela.models.problem import Problem
from clientela.models.scoring import CHAMPION
from clientela.pipelines.training.card_tables import format_metric_name, format_with_interval
from clientela.pipelines.training.holdout_evaluation import BinaryCardData
from clientela.reporting.page import Section, Table, Text
from clientela.text import NumberFormat, format_feature_name

NUMBERS = NumberFormat()

SAVING = "saving_over_all_positive"

# Columns of a scorecard that a card shows; all stand in its file.
MOST_COLUMNS = 12

HOLDOUTS = {"time": "fuera de tiempo", "random": "al azar"}

# Why a row is not learned from, by status of `clientela.features.case_table`.
LEFT_OUT = {
    "unlabelled": "sin resultado conocido",
    "unknown_label": "con un resultado que no es ninguna de las clases",
    "undated": "sin fecha o sin plazo",
    "too_young": "demasiado recientes para saber cómo terminan",
}

AS_OF_DOUBTFUL = (
    "ATENCIÓN: la fecha más reciente, {day}, está muy lejos de las demás; si es un error, ningún "
    "caso parece demasiado reciente. Corríjala o fije features.maturity.as_of."
)

COST_DECISIONS = ("cost", "best_cost")

COSTS_IGNORED = (
    "El campeón decide con la regla «{decision}», que no mira los costos: para que los use, ponga "
    "cost primero en sus decisions."
)

PEOPLE_DECIDE = (
    "El modelo informa; la decisión sobre cada persona la toma una persona, que puede ver los "
    "motivos de cada puntaje y apartarse de él."
)

GROUP_VERDICTS = {
    "most_favoured": "el más favorecido",
    "within": "dentro del límite",
    "below": "POR DEBAJO del límite",
    "too_few_rows": "muy pocos casos",
    "nobody_selected": "nadie seleccionado",
}


def format_secondary_holdout(facts: BinaryCardData, metric: str, cases: str) -> str | None:
    """The champion's figure in the test that was not chosen.

    Returns:
        A sentence, or the reason why there is no such test; None where rows have no time.
    """
    if not facts.other["tested"]:
        reason: str | None = facts.other.get("reason")
        return reason
    found = facts.other["models"][CHAMPION]
    saved = found[SAVING]
    return (
        f"{metric.upper()} del campeón en la prueba {HOLDOUTS[facts.other['holdout']]}: "
        f"{format_with_interval(found[metric])} ({NUMBERS.text(facts.other['rows'])} {cases}); "
        f"ahorro por caso frente a decidir «positivo» para todos: {format_with_interval(saved)}."
    )


def format_unfair_groups(fairness: pd.DataFrame) -> str | None:
    """The groups whose ratio lies below the limit, the worst first."""
    below = fairness[fairness["verdict"] == "below"].sort_values("selection_ratio", kind="stable")
    if below.empty:
        return None
    groups = [
        f"{row['column']} {row['group']} ({NUMBERS.text(row['selection_ratio'], 2)})"
        for _, row in below.iterrows()
    ]
    return (
        "Por debajo del límite de equidad frente al grupo más favorecido: "
        + ", ".join(groups)
        + "."
    )


# What is told beside rows that ingestion refused because another one is equal.
REPEATED_ROWS = " (filas iguales a otra; con duplicates: keep se conservan)"


def build_binary_sections(
    facts: BinaryCardData, problem: Problem, *, decision: str, rare: str
) -> tuple[Section, ...]:
    """The sections of a binary model."""
    return (
        _build_required_section(facts),
        *_build_secondary_section(facts, problem),
        _build_cost_section(facts, problem, decision),
        _build_probability_section(facts, problem, rare),
        *_build_points_section(facts.points, problem),
        *_build_withheld_section(facts.withheld, problem),
        *_build_fairness_section(facts.fairness, problem),
    )


def format_learned_rows(rows: Mapping[str, Any], cases: str) -> str:
    """How many rows of the table were learned from, and why not the others."""
    learned = f"De {NUMBERS.text(rows['rows'])} {cases} de la tabla se usan "
    if refused := rows.get("refused"):
        listed = ", ".join(f"{NUMBERS.text(count)} {why}" for why, count in refused.items())
        learned = f"De {NUMBERS.text(rows['read'])} {cases} de la tabla la ingesta rechaza {listed}"
        learned += f"{REPEATED_ROWS if 'duplicate_row' in refused else ''}; del resto se usan "
    learned += NUMBERS.text(rows["status"]["usable"])
    reasons = [
        f"{NUMBERS.text(rows['status'][status])} {reason}"
        for status, reason in LEFT_OUT.items()
        if rows["status"][status]
    ]
    young = ", ".join(
        f"{name} {NUMBERS.text(count)}" for name, count in rows["too_young_classes"].items()
    )
    young = f" (al {rows['as_of']}; de ellos {young})" if rows["status"]["too_young"] else ""
    left_out = f"; fuera quedan: {', '.join(reasons)}{young}" if reasons else ""
    doubt = f" {AS_OF_DOUBTFUL.format(day=rows['as_of'])}" if rows["as_of_doubtful"] else ""
    return f"{learned}{left_out}.{doubt}"


def _build_required_section(facts: BinaryCardData) -> Section:
    shown = facts.required.assign(
        **{
            name: [NUMBERS.text(value, 6) for value in facts.required[name]]
            for name in facts.required.columns.drop("Modelo")
        }
    )
    note = (
        "División estratificada al azar. Con clases desiguales las cuatro primeras medidas casi no "
        "distinguen un modelo de la regla que da a todos la clase mayoritaria: compárense las "
        "filas. El ROC-AUC sí los distingue."
    )
    return Section("La tabla del requerimiento", (Table("Modelos requeridos", shown, note=note),))


def _build_secondary_section(facts: BinaryCardData, problem: Problem) -> tuple[Section, ...]:
    if not facts.other["tested"]:
        return ()
    names = {CHAMPION: "campeón", "required": problem.settings.required}
    decided = "accuracy" if problem.settings.costs is None else SAVING
    measures = (problem.settings.primary_metric, "roc_auc", "pr_auc_rare", "brier", decided)
    rows = [
        {"Modelo": names.get(model, model)}
        | {
            format_metric_name(name): format_with_interval(figures[name])
            for name in dict.fromkeys(measures)
        }
        for model, figures in facts.other["models"].items()
    ]
    note = (
        "Los mismos modelos, ajustados de nuevo con las demás filas. El campeón se eligió sin "
        "mirar esta división, pero con filas que están en ella."
    )
    title = f"Prueba {HOLDOUTS[facts.other['holdout']]}"
    return (Section(title, (Table("Medidas", pd.DataFrame(rows), note=note),)),)


def _build_cost_section(facts: BinaryCardData, problem: Problem, decision: str) -> Section:
    positive = problem.schema.classes[1]
    rows = [
        {
            "Decisión": f"{row['decision']} (elegida)" if row["chosen"] else row["decision"],
            "Umbral": NUMBERS.text(row["threshold"], 4),
            f"Decididos «{positive}»": NUMBERS.percent(row["selection_rate"]),
            "Exactitud": NUMBERS.text(row["accuracy"], 3),
            "Costo por caso": _format_cost(row, "expected_cost"),
            f"Ahorro frente a «{positive}» para todos": _format_cost(
                row, "saving_over_all_positive"
            ),
            "Ahorro frente a lo contrario": _format_cost(row, "saving_over_all_negative"),
        }
        for _, row in facts.thresholds.iterrows()
    ]
    costs = problem.settings.costs
    description = (
        "No hay costos configurados: cada error cuenta uno."
        if costs is None
        else f"Costos configurados: tomar por «{positive}» a quien no lo es, "
        f"{NUMBERS.text(costs.false_positive, 2)}; lo contrario, "
        f"{NUMBERS.text(costs.false_negative, 2)}; aciertos, "
        f"{NUMBERS.text(costs.true_positive, 2)} y {NUMBERS.text(costs.true_negative, 2)}."
    )
    table = Table("Umbrales en la prueba final", pd.DataFrame(rows))
    ignored = costs is not None and decision not in COST_DECISIONS
    warning = (Text(COSTS_IGNORED.format(decision=decision), emphasis=True),) if ignored else ()
    return Section("Costos y umbral", (Text(description), *warning, table))


def _format_cost(row: "pd.Series[float]", name: str) -> str:
    parts = {"value": name, "lower": f"{name}_lower", "upper": f"{name}_upper"}
    return format_with_interval({part: float(row[column]) for part, column in parts.items()})


def _build_probability_section(facts: BinaryCardData, problem: Problem, rare: str) -> Section:
    promised = pd.DataFrame(
        {
            "Casos": [NUMBERS.text(rows) for rows in facts.calibration["rows"]],
            "Prometido": [NUMBERS.text(value, 3) for value in facts.calibration["promised"]],
            "Observado": [
                format_with_interval({"value": row["observed"], **row[["lower", "upper"]]})
                for _, row in facts.calibration.iterrows()
            ],
        }
    )
    found = pd.DataFrame(
        {
            "Décima parte": facts.gains["part"].astype(str),
            "Proporción": [NUMBERS.percent(value) for value in facts.gains["share"]],
            "Lift": _format_gain_curve(facts.gains, "lift"),
            "Ganancia acumulada": _format_gain_curve(facts.gains, "gain"),
        }
    )
    return Section(
        "Probabilidades",
        (
            Table(f"Promesa y hecho: «{problem.schema.classes[1]}»", promised),
            Table(f"Buscar «{rare}» por décimas partes, las más probables primero", found),
        ),
    )


def _build_points_section(points: pd.DataFrame, problem: Problem) -> tuple[Section, ...]:
    """The columns of a scorecard by how far apart their bins lie; nothing for other models."""
    if points.empty:
        return ()
    ends = points.groupby("feature")["points"].agg(["min", "max"])
    widest = (ends["max"] - ends["min"]).sort_values(ascending=False, kind="stable")
    rows = [
        {
            "Variable": format_feature_name(str(name), problem.settings.labels),
            "Tramos": NUMBERS.text(int((points["feature"] == name).sum())),
            "Menos puntos": _format_extreme_bin(points, str(name), "idxmin"),
            "Más puntos": _format_extreme_bin(points, str(name), "idxmax"),
        }
        for name in widest.index[:MOST_COLUMNS]
    ]
    scale = problem.settings.points
    note = (
        f"La suma de los puntos de un caso es su puntaje: {NUMBERS.text(scale.base_points)} puntos "
        f"son {NUMBERS.text(scale.base_odds)} a 1 por «{problem.schema.classes[1]}», y cada "
        f"{NUMBERS.text(scale.points_to_double)} puntos más lo duplican. Todos los tramos están en "
        "points_table.csv."
    )
    table = Table("Las variables con más diferencia de puntos", pd.DataFrame(rows), note=note)
    return (Section("Tabla de puntos", (table,)),)


def _format_extreme_bin(points: pd.DataFrame, feature: str, end: str) -> str:
    bins = points[points["feature"] == feature]
    row = bins.loc[getattr(bins["points"], end)()]
    return f"{row['bin']}: {NUMBERS.text(row['points'], 1)}"


def _format_gain_curve(gains: pd.DataFrame, name: str) -> list[str]:
    return [
        format_with_interval(
            {"value": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]}
        )
        for _, row in gains.iterrows()
    ]


def _build_withheld_section(withheld: Mapping[str, Any], problem: Problem) -> tuple[Section, ...]:
    """What it costs that some columns may not decide."""
    if not withheld:
        return ()
    named = ", ".join(f"{name} ({why})" for name, why in withheld["columns"].items())
    rows = []
    for name, shown in (("without", "sin ellas: el campeón"), ("with", "con ellas")):
        graded = withheld[name]
        rows.append(
            {"Modelo": shown}
            | {
                format_metric_name(metric): format_with_interval(graded[metric])
                for metric in ("roc_auc", "expected_cost")
            }
            | {
                f"Razón más baja: {column}": NUMBERS.text(ratio, 3)
                for column, ratio in graded["selection_ratio"].items()
            }
        )
    table = Table("Con y sin las columnas que no pueden decidir", pd.DataFrame(rows))
    parts: list[Text | Table] = [Text(f"No pueden decidir ni ser motivo: {named}."), table]
    if withheld["proxies"]:
        listed = ", ".join(
            f"{format_feature_name(entry['feature'], problem.settings.labels)} por "
            f"{entry['column']} ({NUMBERS.text(entry['association'], 2)})"
            for entry in withheld["proxies"]
        )
        parts.append(Text(f"Pueden estar en lugar de un grupo (V de Cramér): {listed}."))
    return (Section("Lo que no puede decidir", tuple(parts)),)


def _build_fairness_section(fairness: pd.DataFrame, problem: Problem) -> tuple[Section, ...]:
    settings = problem.settings.fairness
    if settings is None:
        return ()
    favoured = problem.schema.classes[settings.favourable]
    rows = [
        {
            "Columna": row["column"],
            "Grupo": str(row["group"]),
            "Casos": NUMBERS.text(row["rows"]),
            "Decisión favorable": _format_rate(row["selection_rate"]),
            f"Son «{favoured}»": _format_rate(row["deserving_share"]),
            "Favorable entre ellos": _format_rate(row["true_positive_rate"]),
            "Favorable entre los demás": _format_rate(row["false_positive_rate"]),
            "Razón": "—"
            if pd.isna(row["selection_ratio"])
            else NUMBERS.text(row["selection_ratio"], 3),
            "Juicio": GROUP_VERDICTS[row["verdict"]],
        }
        for _, row in fairness.sort_values("selection_ratio", kind="stable").iterrows()
    ]
    note = (
        f"Razón entre la tasa de decisiones favorables del grupo y la del más favorecido; el "
        f"límite es {NUMBERS.text(settings.limit, 2)} (regla de los cuatro quintos). Grupos con "
        f"menos de {settings.minimum_group} casos no se comparan."
    )
    table = Table("Decisiones por grupo", pd.DataFrame(rows), note=note)
    return (Section("Equidad entre grupos", (Text(PEOPLE_DECIDE, emphasis=True), table)),)


def _format_rate(value: float) -> str:
    return "—" if pd.isna(value) else NUMBERS.percent(value)
