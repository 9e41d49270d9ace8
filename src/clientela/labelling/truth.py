"""What people judged, beside what was labelled, and which of the two a model learns."""

from typing import Any

import numpy as np
import pandas as pd

from clientela.classification.codes import Codes
from clientela.folding import folded_word
from clientela.labelling.settings import LearnedFrom
from clientela.tabular.params import BinaryTarget

TRUTH = "truth"
"""Column with what people judged; and what `label_source` says where a model learns that."""


def judged(words: "pd.Series[Any]", target: BinaryTarget) -> "pd.Series[Any]":
    """What people judged, in the spelling of the target's labels.

    Args:
        words: What the data say; compared without accents and case.
        target: The two labels.

    Returns:
        One of the labels; missing where nothing is said, or something else.
    """
    known = {entry.word: entry.label for entry in (target.negative, target.positive)}
    return words.map(lambda word: known.get(folded_word(str(word))), na_action="ignore").astype(
        "str"
    )


def codes(labels: "pd.Series[Any]", target: BinaryTarget) -> Codes:
    """Labels as 0 and 1.

    Args:
        labels: One of the two labels each, none missing.
        target: The two labels.

    Returns:
        1 for the positive one.
    """
    return np.asarray(labels == target.positive.label, dtype=np.int64)


def learned_labels(labels: pd.DataFrame, target: str, learn_from: LearnedFrom) -> pd.DataFrame:
    """What a model is to learn of each row, and who said so.

    Args:
        labels: The label table with `truth`.
        target: Name of the target column.
        learn_from: Made labels, the truth, or both.

    Returns:
        The label table's first column (the key), `description`, the target, `label_source`: who
        labelled, or `truth`; missing where the row is not learned from.
    """
    made, truth = labels["label"], labels[TRUTH]
    if learn_from == "labels":
        said, source = made, labels["label_source"]
    else:
        known = truth.notna()
        said = truth if learn_from == TRUTH else truth.where(known, made)
        source = labels["label_source"].mask(known, TRUTH).where(said.notna())
    columns = {"description": labels["description"], target: said, "label_source": source}
    return pd.DataFrame({labels.columns[0]: labels.iloc[:, 0], **columns})
