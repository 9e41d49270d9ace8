"""Everything that a model card is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clientela.modelling.binary_report import BinaryFacts
from clientela.modelling.card.label_section import LabelFacts
from clientela.modelling.problem import Problem


@dataclass(frozen=True)
class CardFacts:
    """The artefacts of one run that a card tells.

    Attributes:
        problem: What was learned.
        table: The leaderboard.
        choice: Who won, and how.
        tuned: What tuning did.
        grades: Grades on the test part.
        predictions: Predictions on the test part.
        manifest: The champion's manifest.
        classes: Class to rows and share, of the whole model input.
        importance: What the champion leans on.
        leakage: The leakage report.
        cutoffs: Both cutoff modes side by side; None where features have no cutoff.
        binary: What only a binary model has; None for another task type.
        labels: What is known of labels that were made; None where people gave them.
    """

    problem: Problem
    table: pd.DataFrame
    choice: Mapping[str, Any]
    tuned: Mapping[str, Any]
    grades: Mapping[str, Any]
    predictions: pd.DataFrame
    manifest: Mapping[str, Any]
    classes: Mapping[str, Any]
    importance: list[dict[str, Any]]
    leakage: Mapping[str, Any]
    cutoffs: Mapping[str, Any] | None = None
    binary: BinaryFacts | None = None
    labels: LabelFacts | None = None
