"""What a scorer answers, in columns: one entry per case, in the order of the cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clientela.classification.codes import Codes, Floats
from clientela.inference.fields import Column
from clientela.inference.manifest import ServedManifest


@dataclass(frozen=True)
class Answers:
    """What a model says of some cases.

    Attributes:
        codes: Position of the class or segment in the manifest's `classes`.
        probabilities: Cases x classes; empty (cases x 0) for segments without membership.
        expected: Probability of the positive class, expected class value, or segment id.
        imputed: Cases x fields (in the manifest's order): whether the model saw a typical value,
            since the field was absent or not believed.
        unseen: Cases x fields: whether a number lies beyond what the model learned from, or a word
            is none that it knows.
    """

    codes: Codes
    probabilities: Floats
    expected: Floats
    imputed: NDArray[np.bool_]
    unseen: NDArray[np.bool_]


class Scorer(Protocol):
    """A loaded model that answers."""

    @property
    def manifest(self) -> ServedManifest:
        """What it is."""

    def answers(self, columns: Mapping[str, Column]) -> Answers:
        """What the model says; thread-safe.

        Args:
            columns: Field to its values, all of the same length; every field that the model reads.

        Returns:
            One entry per case.
        """

    def reasons(self, columns: Mapping[str, Column], count: int) -> list[list[str]]:
        """Why, in Spanish words, the weightiest first; slower than the answers by far.

        Args:
            columns: As for the answers.
            count: Most reasons per case.

        Returns:
            One list per case, of at most `count` reasons; empty where the model gives none.
        """
