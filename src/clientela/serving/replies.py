"""What a model says, as the JSON or CSV that a caller reads."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from clientela.inference.answers import Answers
from clientela.inference.manifest import ServedManifest

Prediction: TypeAlias = dict[str, Any]


class Replies:
    """Writes the answers of one model.

    Args:
        manifest: Of the model.
    """

    def __init__(self, manifest: ServedManifest) -> None:
        self._fields = [field.name for field in manifest.fields]
        self._classes = manifest.classes
        self._segments = manifest.task == "segments"
        self._score = "cluster_id" if self._segments else manifest.score_name
        self._label = "cluster_nombre" if self._segments else "clase"
        self._model = {
            "use_case": manifest.use_case,
            "version": manifest.version,
            "role": manifest.role,
        }

    def json(self, answers: Answers, reasons: Sequence[Sequence[str]] | None = None) -> bytes:
        """The reply to a batch.

        Args:
            answers: Of the model.
            reasons: Of each case; None where they were not asked for.

        Returns:
            JSON.
        """
        return orjson.dumps(
            {"model": self._model, "predictions": self.predictions(answers, reasons)}
        )

    def predictions(
        self, answers: Answers, reasons: Sequence[Sequence[str]] | None = None
    ) -> list[Prediction]:
        """One prediction per case.

        Args:
            answers: Of the model.
            reasons: Of each case; None where they were not asked for.

        Returns:
            As JSON carries them.
        """
        classes, label, score = self._classes, self._label, self._score
        codes, values = answers.codes.tolist(), self._scores(answers)
        imputed = _names(answers.imputed, self._fields)
        unseen = _names(answers.unseen, self._fields)
        predictions: list[Prediction]
        if answers.probabilities.shape[1]:
            rows = answers.probabilities.tolist()
            predictions = [
                {
                    label: classes[code],
                    score: value,
                    "probabilidades": dict(zip(classes, row, strict=True)),
                    "imputed": absent,
                    "unseen": strange,
                }
                for code, value, row, absent, strange in zip(
                    codes, values, rows, imputed, unseen, strict=True
                )
            ]
        else:
            predictions = [
                {score: value, label: classes[code], "imputed": absent, "unseen": strange}
                for code, value, absent, strange in zip(codes, values, imputed, unseen, strict=True)
            ]
        if reasons is not None:
            for prediction, words in zip(predictions, reasons, strict=True):
                prediction["reasons"] = words
        return predictions

    def csv(self, answers: Answers, *, header: bool) -> bytes:
        """The reply to a batch, one line per case: class, score, probability of each class.

        Args:
            answers: Of the model.
            header: Whether the first line names the columns, as the request's did.

        Returns:
            CSV in UTF-8.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        width = answers.probabilities.shape[1]
        if header:
            writer.writerow([self._label, self._score, *self._classes[:width]])
        for code, value, row in zip(
            answers.codes.tolist(),
            self._scores(answers),
            answers.probabilities.tolist(),
            strict=True,
        ):
            writer.writerow([self._classes[code], value, *row])
        return text.getvalue().encode()

    def _scores(self, answers: Answers) -> list[Any]:
        values = answers.expected
        scores: list[Any] = (values.astype(np.int64) if self._segments else values).tolist()
        return scores


def _names(flags: NDArray[np.bool_], fields: Sequence[str]) -> Iterator[list[str]]:
    """The fields that are flagged, case by case; most cases share the few lists that there are."""
    known: dict[bytes, list[str]] = {}
    width = flags.shape[1]
    packed = np.ascontiguousarray(flags).tobytes()
    for start in range(0, len(packed), width):
        key = packed[start : start + width]
        names = known.get(key)
        if names is None:
            names = known[key] = [name for name, on in zip(fields, key, strict=True) if on]
        yield names
