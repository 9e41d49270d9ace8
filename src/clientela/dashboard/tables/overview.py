"""All models at a glance."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import pandas as pd

from clientela.dashboard.artefacts import Monitoring
from clientela.drift.thresholds import SEVERITIES

Standing: TypeAlias = Literal["alarm", "watch", "stable", "no_current_data", "not_monitored"]
STANDINGS: tuple[Standing, ...] = ("alarm", "watch", "stable", "no_current_data", "not_monitored")
"""Worst first."""


def standing(model: Monitoring) -> Standing:
    """The state of a model, or why it has none.

    Args:
        model: What monitoring wrote about it.

    Returns:
        Its state; `no_current_data` where nothing was compared; `not_monitored` without any state.
    """
    if model.state is None:
        return "not_monitored"
    return model.state.state or "no_current_data"


def standing_counts(models: Sequence[Monitoring]) -> dict[Standing, int]:
    """How many models stand where.

    Args:
        models: All of them.

    Returns:
        Standing to number of models, zeros included, worst first.
    """
    found = [standing(model) for model in models]
    return {each: found.count(each) for each in STANDINGS}


def severity_counts(models: Sequence[Monitoring]) -> pd.DataFrame:
    """One row per model and severity.

    Args:
        models: All of them; those without metrics are left out.

    Returns:
        `use_case`, `severity`, `rank` (worst 0), `columns` (how many), zeros included.
    """
    rows = [
        (model.use_case, severity, rank, int((model.metrics["severity"] == severity).sum()))
        for model in models
        if model.metrics is not None
        for rank, severity in enumerate(SEVERITIES)
    ]
    return pd.DataFrame(rows, columns=["use_case", "severity", "rank", "columns"])
