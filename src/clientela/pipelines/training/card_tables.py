"""The tables of a model card, as they are read: Spanish headings, numbers as text."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clientela.models.evaluation import CHAMPION, REQUIRED
from clientela.text import NumberFormat

NUMBERS = NumberFormat()

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
"""Measures as readers know them; others stand under their own name."""

MODELS = {CHAMPION: "campeón", REQUIRED: "modelo requerido"}

GROUPS = {"required": "requeridas", "all": "todas"}

MODES = {"configured": "configurado", "other": "el otro"}


def _format_number(value: float) -> str:
    return NUMBERS.text(value, 3)


def _format_with_deviation(value: float, spread: float) -> str:
    return f"{_format_number(value)} ± {_format_number(spread)}"


def format_metric_name(name: str) -> str:
    """A measure as readers know it."""
    return MEASURES.get(name, name)


def holdout_metrics_table(grades: Mapping[str, Any], rules: Sequence[str]) -> pd.DataFrame:
    """One row per measure: champion, required baseline and rules, each figure with its interval.

    Args:
        rules: The rules among the tested models.
    """
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


def cutoff_table(cutoffs: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """One row per cutoff mode: customers, class shares, and the metric of each model."""
    return pd.DataFrame(
        [
            {"Modo": entry.get("mode") or MODES[name], "Clientes": NUMBERS.text(entry["rows"])}
            | {label: NUMBERS.percent(part["share"]) for label, part in entry["classes"].items()}
            | {
                f"{format_metric_name(metric)} {model}": _format_with_deviation(
                    figures[metric]["mean"], figures[metric]["sd"]
                )
                for model, figures in entry["models"].items()
            }
            for name, entry in cutoffs.items()
        ]
    )


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
    """One row per class of the target.

    Args:
        cases: What the rows are, in the plural.
    """
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
