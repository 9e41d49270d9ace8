"""Tables and figures of a model card, and which features a model leans on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.models.calibration import calibration_table
from clientela.models.explanations import contributions, mean_absolute_contributions
from clientela.models.problem import Problem
from clientela.models.scoring import CHAMPION, REQUIRED, select_model_predictions
from clientela.models.stored_model import StoredModel
from clientela.reporting.style import (
    ACCENT,
    GRID,
    MAIN,
    MUTED,
    draw_heatmap,
    draw_ranked_bars,
    make_panels,
    shorten_label,
)
from clientela.text import NumberFormat, format_feature_name

# The tables of a model card, as they are read: Spanish headings, numbers as text.


NUMBERS = NumberFormat()

# Measures as readers know them; others stand under their own name.
MEASURES = {
    "qwk": "QWK",
    "mae_class": "MAE (clases)",
    "mae_value": "MAE (valores)",
    "amae": "AMAE",
    "rps": "RPS",
    "off_by_one": "A lo más una clase de error",
    "accuracy": "Exactitud",
    "calibration_error": "Error de calibración",
    "precision": "Precisión",
    "recall": "Sensibilidad",
    "f1": "F1",
    "specificity": "Especificidad",
    "balanced_accuracy": "Exactitud balanceada",
    "mcc": "MCC",
    "expected_cost": "Costo por caso",
    "saving_over_all_positive": "Ahorro frente a «positivo» para todos",
    "saving_over_all_negative": "Ahorro frente a «negativo» para todos",
    "roc_auc": "ROC-AUC",
    "gini": "Gini",
    "ks": "KS",
    "pr_auc": "PR-AUC",
    "pr_auc_rare": "PR-AUC (clase rara)",
    "brier": "Brier",
    "brier_skill": "Brier frente a la tasa base",
    "log_loss": "Pérdida logarítmica",
}

MODELS = {CHAMPION: "campeón", REQUIRED: "modelo requerido"}

GROUPS = {"required": "requeridas", "all": "todas", "deciding": "las que pueden decidir"}


def _format_number(value: float) -> str:
    return NUMBERS.text(value, 3)


def _format_with_deviation(value: float, spread: float) -> str:
    return f"{_format_number(value)} ± {_format_number(spread)}"


def format_metric_name(name: str) -> str:
    """A measure as readers know it."""
    return MEASURES.get(name, name)


def holdout_metrics_table(grades: Mapping[str, Any], rules: Sequence[str]) -> pd.DataFrame:
    """One row per measure: champion, required baseline and rules, each figure with its interval."""
    models = grades["models"]
    names = MODELS | {name: f"regla {name}" for name in rules}
    return pd.DataFrame(
        [
            {"Medida": format_metric_name(measure)}
            | {shown: format_with_interval(models[name][measure]) for name, shown in names.items()}
            for measure in models[CHAMPION]
        ]
    )


def format_with_interval(entry: Mapping[str, float]) -> str:
    """A figure with its interval."""
    value, lower, upper = (_format_number(entry[part]) for part in ("value", "lower", "upper"))
    return f"{value} [{lower}; {upper}]"


def leaderboard_table(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One row per contender: the primary metric, and gains over the yardsticks."""
    return pd.DataFrame(
        [
            _describe_candidate(row)
            | {
                f"{format_metric_name(metric)} ± desv.": _format_with_deviation(
                    row[metric], row[f"{metric}_sd"]
                ),
                "Frente a la regla ± error": _format_with_deviation(
                    row["gain_vs_rule"], row["gain_vs_rule_se"]
                ),
                "Frente al requerido ± error": _format_with_deviation(
                    row["gain_vs_required"], row["gain_vs_required_se"]
                ),
                "Particiones": str(row["folds"]),
            }
            for _, row in table.iterrows()
        ]
    )


def fold_metrics_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row per contender: the mean of every measure over the folds."""
    names = [str(name) for name in table.columns if f"{name}_sd" in table.columns]
    measures = [name for name in names if not name.startswith("gain_")]
    return pd.DataFrame(
        [
            _describe_candidate(row)
            | {format_metric_name(name): _format_number(row[name]) for name in measures}
            for _, row in table.iterrows()
        ]
    )


def _describe_candidate(row: "pd.Series[Any]") -> dict[str, str]:
    return {
        "Candidato": row["candidate"],
        "Decisión": row["decision"],
        "Variables": GROUPS[row["features"]],
    }


def tuning_table(tuned: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """One row per tuned candidate: the metric before and after.

    Returns:
        Text columns; one row that says so when nothing was tuned.
    """
    rows = [
        {
            "Candidato": name,
            f"{format_metric_name(metric)} inicial": _format_number(entry["configured"]),
            f"{format_metric_name(metric)} ajustado": _format_number(entry["best"]),
            "Ensayos": str(entry["trials"]),
            "Parámetros": _format_params(entry["params"]),
        }
        for name, entry in tuned.items()
        if "best" in entry
    ]
    return pd.DataFrame(rows or [{"Candidato": "ninguno se ajustó"}])


def backtest_shares_table(dates: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per past day and class: the share that the champion predicted, and what came."""
    return pd.DataFrame(
        [
            {
                "Fecha": day["day"],
                "Clase": label,
                "Prevista (probabilidad media)": NUMBERS.percent(expected),
                "Clientes asignados": NUMBERS.percent(day["models"][CHAMPION]["decided"][label]),
                "Real": NUMBERS.percent(day["realized"][label]),
            }
            for day in dates
            for label, expected in day["models"][CHAMPION]["expected"].items()
        ]
    )


def backtest_models_table(dates: Sequence[Mapping[str, Any]], problem: Problem) -> pd.DataFrame:
    """One row per past day and model: how good it was, and how far its shares were off."""
    metric = problem.settings.primary_metric
    names = {CHAMPION: "campeón", REQUIRED: f"{problem.settings.required} (requerido, ese día)"}
    return pd.DataFrame(
        [
            {
                "Fecha": day["day"],
                "Modelo": names.get(name, name),
                format_metric_name(metric): NUMBERS.text(entry[metric], 3),
                "Ventaja del campeón": _format_gain(day["gains"].get(name)),
                "Pérdida logarítmica": NUMBERS.text(entry["log_loss"], 3),
                "Error de calibración": NUMBERS.text(entry["calibration_error"], 3),
                "Mayor diferencia prevista": NUMBERS.percent(entry["gap"]),
                "Mayor diferencia asignada": NUMBERS.percent(entry["decided_gap"]),
            }
            for day in dates
            for name, entry in day["models"].items()
        ]
    )


def _format_gain(gain: Mapping[str, float] | None) -> str:
    if gain is None:
        return "—"
    value, lower, upper = (NUMBERS.text(gain[part], 3) for part in ("value", "lower", "upper"))
    return f"{value} [{lower}; {upper}]"


def importance_table(importance: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per feature, largest first."""
    return pd.DataFrame(
        [
            {
                "Variable": entry["label"],
                "Contribución media absoluta": _format_number(entry["mean_abs"]),
                "Valores altos": _describe_direction(entry["direction"]),
            }
            for entry in importance
        ]
    )


def _describe_direction(correlation: float | None) -> str:
    if correlation is None:
        return "según la palabra"
    return "suben" if correlation >= 0 else "bajan"


def classes_table(classes: Mapping[str, Any], cases: str) -> pd.DataFrame:
    """One row per class of the target."""
    return pd.DataFrame(
        [
            {
                "Clase": name,
                cases.capitalize(): NUMBERS.text(entry["rows"]),
                "Proporción": NUMBERS.percent(entry["share"]),
            }
            for name, entry in classes.items()
        ]
    )


def _format_params(params: Mapping[str, Any]) -> str:
    texts = {k: f"{v:.4g}" if isinstance(v, float) else str(v) for k, v in params.items()}
    return ", ".join(f"{name}={text}" for name, text in texts.items())


# The figures of a trained model: who won, how it errs, whether its promises hold, and why.


MOST_FEATURES = 15
LINE_COLORS = (MAIN, ACCENT, "#6b4c9a", "#3f7d20", "#8a5a44")


def plot_leaderboard(table: pd.DataFrame, metric: str) -> Figure:
    """Each contender's mean over the folds, with its standard deviation."""
    figure, (panel,) = make_panels(1, 1, 0.9 + 0.34 * len(table))
    names = [format_candidate_name(row) for _, row in table.iterrows()]
    colors = [MUTED if role == "rule" else MAIN for role in table["role"]]
    places = np.arange(len(table))
    panel.barh(places, table[metric], color=colors, height=0.66)
    panel.errorbar(
        table[metric], places, xerr=table[f"{metric}_sd"], fmt="none", ecolor=ACCENT, capsize=3
    )
    panel.set_yticks(places, [shorten_label(name, 52) for name in names])
    panel.invert_yaxis()
    panel.grid(axis="x")
    panel.set_xlabel(f"{metric.upper()}: media y desviación entre pliegues (gris: reglas)")
    return figure


def format_candidate_name(row: "pd.Series[Any] | Mapping[str, Any]") -> str:
    """A contender in words: candidate, decision rule, features."""
    return f"{row['candidate']} ({row['decision']}, {row['features']})"


def plot_confusion_matrix(truth: Codes, codes: Codes, classes: Sequence[str]) -> Figure:
    """Customers by true and predicted class; the colour is the share of the true class."""
    counts = compute_confusion_matrix(truth, codes, len(classes))
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    texts = [[NUMBERS.text(count) for count in row] for row in counts]
    figure, (panel,) = make_panels(1, 1, 3.6)
    draw_heatmap(panel, shares, texts, limits=(0.0, 1.0))
    panel.set_xticks(range(len(classes)), classes)
    panel.set_yticks(range(len(classes)), classes)
    panel.set_xlabel("clase predicha")
    panel.set_ylabel("clase real")
    return figure


def plot_calibration(truth: Codes, probabilities: Floats, classes: Sequence[str]) -> Figure:
    """Promised against observed shares of customers above each boundary between classes."""
    figure, (panel,) = make_panels(1, 1, 3.8)
    above = 1.0 - probabilities.cumsum(axis=1)[:, :-1]
    for boundary, promised in enumerate(above.T):
        points = calibration_table((truth > boundary).astype(np.int64), promised)
        color = LINE_COLORS[boundary % len(LINE_COLORS)]
        label = f"más que {classes[boundary]}" if above.shape[1] > 1 else classes[1]
        panel.plot(
            points["promised"],
            points["observed"],
            marker="o",
            markersize=4,
            color=color,
            label=label,
        )
        panel.vlines(points["promised"], points["lower"], points["upper"], color=color, alpha=0.4)
    # the diagonal must not widen what the points span
    panel.set(xlim=panel.get_xlim(), ylim=panel.get_ylim())
    panel.axline((0, 0), slope=1, color=GRID, linestyle="--", zorder=0)
    panel.set_xlabel("probabilidad prometida")
    panel.set_ylabel("proporción observada")
    panel.grid()
    panel.legend(loc="upper left")
    return figure


def plot_feature_importance(entries: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Figure:
    """The features that a model leans on most."""
    top = entries[:MOST_FEATURES]
    figure, (panel,) = make_panels(1, 1, 0.8 + 0.3 * len(top))
    # where high values push; words have no high values
    signs = [entry["direction"] for entry in top]
    arrows = ["" if sign is None else "↑" if sign >= 0 else "↓" for sign in signs]
    draw_ranked_bars(
        panel,
        [str(entry["label"]) for entry in top],
        [float(entry["mean_abs"]) for entry in top],
        [f"{NUMBERS.text(e['mean_abs'], 3)} {a}" for e, a in zip(top, arrows, strict=True)],
    )
    towards = "clases altas" if classes[2:] else f"«{classes[1]}»"
    panel.set_xlabel(f"contribución media absoluta (↑ valores altos empujan hacia {towards})")
    return figure


def plot_training_results(
    leaderboard: pd.DataFrame,
    predictions: pd.DataFrame,
    explanations: dict[str, list[dict[str, Any]]],
    problem: Problem,
) -> dict[str, Figure]:
    """The figures of a training run, by name."""
    truth, decided = select_model_predictions(predictions, CHAMPION, problem)
    classes = problem.schema.classes
    return {
        "leaderboard": plot_leaderboard(leaderboard, problem.settings.primary_metric),
        "confusion": plot_confusion_matrix(truth, decided.codes, classes),
        "calibration": plot_calibration(truth, decided.probabilities, classes),
        "importance": plot_feature_importance(explanations[CHAMPION], classes),
        "importance_required": plot_feature_importance(explanations[REQUIRED], classes),
    }


def explain_models(
    train: pd.DataFrame, champion: StoredModel, required: StoredModel, problem: Problem
) -> dict[str, list[dict[str, Any]]]:
    """What champion and required baseline lean on: mean absolute contribution of each feature.

    Contributions are exact, over all rows of the training part or a seeded sample of many.

    Returns:
        Model to its features, largest first, as `compute_feature_importance` describes them.
    """
    settings, rows = problem.settings, train
    if len(train) > settings.explained_rows:
        generator = np.random.default_rng(settings.seed)
        chosen = generator.choice(len(train), size=settings.explained_rows, replace=False)
        rows = train.iloc[np.sort(chosen)]
    return {
        name: compute_feature_importance(model, rows, settings.labels)
        for name, model in ((CHAMPION, champion), (REQUIRED, required))
    }


def compute_feature_importance(
    model: StoredModel, rows: pd.DataFrame, labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One entry per feature, largest first.

    Returns:
        Each with `feature`, `label`, `mean_abs` (mean absolute contribution, in the unit of the
        model's score) and `direction`: the correlation of value and contribution over rows with
        a value, 0 without any, None for words.
    """
    X = rows[model.features]
    added = contributions(model.estimator, X)
    entries = []
    for name, amount in mean_absolute_contributions(added).items():
        feature, direction = str(name), None
        if X[feature].dtype.kind in "biuf":
            known = X[feature].notna()
            values, pushes = (table[feature][known].to_numpy() for table in (X, added))
            constant = not len(values) or values.std() == 0 or pushes.std() == 0
            direction = 0.0 if constant else float(np.corrcoef(values, pushes)[0, 1])
        label = format_feature_name(feature, labels)
        entry = {"feature": feature, "label": label, "mean_abs": float(amount)}
        entries.append(entry | {"direction": direction})
    return entries
