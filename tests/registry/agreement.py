"""Answers and batch scores side by side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from clientela.registry.manifest import ServedManifest
from clientela.registry.scorers import PredictionBatch

CLOSE = 1e-9
"""Far below what is promised (1e-5): both compute in the same order, but for a logarithm's end."""


def assert_same(
    answers: PredictionBatch, manifest: ServedManifest, scores: pd.DataFrame, score: str
) -> None:
    """Classes are equal, numbers as close as they can be."""
    classes = np.array(manifest.classes)[answers.codes]
    assert classes.tolist() == scores["clase"].tolist()
    assert answers.expected == pytest.approx(scores[score].to_numpy(), rel=0, abs=CLOSE)
    table = scores[[f"p_{name}" for name in manifest.classes]].to_numpy()
    assert answers.probabilities == pytest.approx(table, rel=0, abs=CLOSE)


def imputed_names(answers: PredictionBatch, manifest: ServedManifest) -> list[str]:
    """The flags as batch scoring writes them."""
    names = [each.name for each in manifest.fields]
    return [", ".join(np.array(names)[flags]) for flags in answers.imputed]


def as_bytes(*parts: PredictionBatch) -> list[bytes]:
    """Everything that is said, of all parts together."""
    fields = ("codes", "probabilities", "expected", "imputed", "unseen")
    return [np.concatenate([getattr(part, name) for part in parts]).tobytes() for name in fields]


def split(cases: Sequence[object], size: int) -> list[Sequence[object]]:
    """The cases in batches."""
    return [cases[start : start + size] for start in range(0, len(cases), size)]
