"""Which rows learn, which ones judge: seeded, and independent of the order of the rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split

from clientela.classification.codes import Codes
from clientela.exceptions import TrainingDataError


@dataclass(frozen=True)
class Fold:
    """One fold of a repeated cross-validation: positions of rows."""

    repeat: int
    fold: int
    learn: NDArray[np.int64]
    held_out: NDArray[np.int64]


def split_parts(
    frame: pd.DataFrame, *, key: str, target: str, test_share: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training part and the test part, both sorted by key.

    Args:
        frame: One row per key.
        key: Unique column.
        target: Column whose shares are equal in both parts.
        test_share: Share of the rows in the test part.
        seed: Seed of the draw.

    Returns:
        Training part and test part.
    """
    ordered = frame.sort_values(key, ignore_index=True)
    learn, test = train_test_split(
        np.arange(len(ordered)),
        test_size=test_share,
        stratify=ordered[target].to_numpy(),
        random_state=seed,
    )
    return (
        ordered.iloc[np.sort(learn)].reset_index(drop=True),
        ordered.iloc[np.sort(test)].reset_index(drop=True),
    )


def latest_parts(
    frame: pd.DataFrame, *, key: str, time: str, test_share: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The earlier rows as training part and the latest ones as test part, both sorted by key.

    Rows of one moment stay together, so the test part may hold a few rows more than its share. A
    row without a time can't be called late: it is learned from.

    Args:
        frame: One row per key.
        key: Unique column.
        time: Column with the moment of each row.
        test_share: Share of the dated rows in the test part.

    Returns:
        Training part and test part.

    Raises:
        TrainingDataError: All rows, or all but those of one moment, have the same time.
    """
    moments = frame[time].sort_values(ignore_index=True).dropna()
    first = int(len(moments) * (1 - test_share))
    late = frame[time] >= moments.iloc[first] if len(moments) else frame[time].notna()
    if not late.any() or late.sum() == len(moments):
        raise TrainingDataError(
            f"The latest {test_share:.0%} of the rows can't be told from the others by {time!r}: "
            f"{len(moments)} of {len(frame)} rows are dated, with {moments.nunique()} different "
            "times. Set training.holdout to 'random', or choose another time column."
        )
    ordered = frame.assign(_late=late).sort_values(key, ignore_index=True)
    early, latest = (ordered[ordered["_late"] == part] for part in (False, True))
    return (
        early.drop(columns="_late").reset_index(drop=True),
        latest.drop(columns="_late").reset_index(drop=True),
    )


def repeated_folds(codes: Codes, *, folds: int, repeats: int, seed: int) -> list[Fold]:
    """The folds of a repeated stratified cross-validation.

    Args:
        codes: Target by which folds are stratified, in the order of a unique key.
        folds: Folds in each repetition.
        repeats: Repetitions.
        seed: Seed of the shuffling.

    Returns:
        `folds * repeats` folds.
    """
    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    return [
        Fold(position // folds, position % folds, learn, held_out)
        for position, (learn, held_out) in enumerate(splitter.split(codes, codes))
    ]
