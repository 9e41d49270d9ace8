"""Fitted preprocessing as plain data, for machines that have neither pandas nor scikit-learn."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from clientela.tabular.preprocessing import LOGGED, NOMINAL, output_columns


def matrix_recipe(fitted: ColumnTransformer) -> list[dict[str, Any]]:
    """One entry per column of the matrix, in its order: how it comes from one feature.

    Args:
        fitted: A fitted preprocessor.

    Returns:
        `column` and `feature`; `from`: `number`, `log` (log(1 + x), negative ones counting as 0),
        `word` (1 where the word is `is`, else 0), `level` (its place in `levels`) or `missing` (1
        where there is no value, else 0); `imputed`: what a missing value, or an unknown level,
        counts as, before the logarithm for none and after it for `log`; `centre` and `scale`: the
        column less the one, divided by the other.
    """
    origins = output_columns(fitted).to_dict("records")
    steps = (
        step
        for name, transformer, columns in fitted.transformers_
        if name != "remainder" and len(columns)
        for step in _steps(name, transformer)
    )
    return [
        {"column": origin["output"], "feature": origin["feature"], **step}
        for origin, step in zip(origins, steps, strict=True)
    ]


def _steps(name: str, fitted: Pipeline) -> Iterator[dict[str, Any]]:
    imputed = fitted.named_steps["impute"].statistics_
    if name == NOMINAL:
        for usual, words in zip(imputed, fitted.named_steps["encode"].categories_, strict=True):
            yield from ({"from": "word", "is": str(word), "imputed": str(usual)} for word in words)
        return
    yield from _scaled(fitted, list(_numeric_steps(name, fitted, imputed)))


def _numeric_steps(name: str, fitted: Pipeline, imputed: Any) -> Iterator[dict[str, Any]]:
    levels = fitted.named_steps["encode"].categories_ if "encode" in fitted.named_steps else None
    for place, value in enumerate(imputed):
        step: dict[str, Any] = {"from": "log" if name == LOGGED else "number"}
        if levels is not None:
            step = {"from": "level", "levels": [str(level) for level in levels[place]]}
        yield {**step, "imputed": float(value)}
    imputer = fitted.named_steps["impute"]
    if imputer.add_indicator:
        yield from ({"from": "missing"} for _ in imputer.indicator_.features_)


def _scaled(fitted: Pipeline, steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The steps with what scaling does to each; it reads indicators too."""
    scaler = fitted.named_steps.get("scale")
    if scaler is None:
        yield from steps
        return
    centres = scaler.mean_ if hasattr(scaler, "mean_") else scaler.center_
    for step, centre, scale in zip(steps, centres, np.asarray(scaler.scale_), strict=True):
        yield {**step, "centre": float(centre), "scale": float(scale)}
