"""Records of what was asked and answered, in the form that the requirement has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.serving.asking.answers import Outcome, Prediction
from clientela.serving.asking.applicants import Applicant

Record = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """What a model of two classes is asked about.

    Attributes:
        name: As the records call it, e.g. `fraud`.
        positive: The class that it is.
        negative: The other one.
        threshold: Least probability that counts as it; None: the model decides.
    """

    name: str
    positive: str
    negative: str
    threshold: float | None

    @classmethod
    def of(cls, about: Mapping[str, Any], name: str | None, threshold: float | None) -> Self | None:
        """The event of a model.

        Args:
            about: What the model says of itself.
            name: What to call it; None: after its class.
            threshold: See the class.

        Returns:
            None for a model of another kind.

        Raises:
            ConfigurationError: A model of another kind has no event, and no threshold.
        """
        if about["task"] != "binary":
            if name is not None or threshold is not None:
                raise ConfigurationError(
                    f"The model of {about['use_case']} has no two classes (it is "
                    f"{about['task']}): leave --event and --threshold out."
                )
            return None
        classes = sorted(about["classes"], key=about["target"].__getitem__)
        given = name if name is not None else classes[1]
        slug = re.sub(r"\W+", "_", given.casefold()).strip("_")
        if not slug:
            raise ConfigurationError(
                f"An event needs a name of letters or digits; {given!r} has none. "
                f"{did_you_mean(given, ['fraud', classes[1]])}"
            )
        return cls(slug, classes[1], classes[0], threshold)


def record(
    applicant: Applicant, outcome: Outcome, event: Event | None, key: str | None, now: datetime
) -> Record:
    """One record.

    Args:
        applicant: Who was asked about.
        outcome: What became of it.
        event: Of a model of two classes; None for another.
        key: Name of the key column; None without one.
        now: Local time.

    Returns:
        For two classes `input_data, probability_<event>, is_<event>, target, confidence,
        timestamp`; for others `input_data, target, expected, probabilities, confidence,
        timestamp`; without an answer `input_data, error, timestamp`. A key column comes first.
    """
    named = {} if key is None else {key: applicant.key}
    asked = {**named, "input_data": applicant.case}
    at = {"timestamp": now.isoformat()}
    if outcome.prediction is None:
        return {**asked, "error": outcome.problem, **at}
    if event is not None:
        return {**asked, **_of_event(outcome.prediction, event), **at}
    return {**asked, **_of_classes(outcome.prediction), **at}


def _of_event(prediction: Prediction, event: Event) -> Record:
    probabilities = prediction["probabilidades"]
    probability = probabilities[event.positive]
    happens = prediction["clase"] == event.positive
    if event.threshold is not None:
        happens = probability >= event.threshold
    target = event.positive if happens else event.negative
    return {
        f"probability_{event.name}": probability,
        f"is_{event.name}": happens,
        "target": target,
        "confidence": probabilities[target],
    }


def _of_classes(prediction: Prediction) -> Record:
    probabilities = prediction.get("probabilidades", {})
    if "cluster_id" in prediction:
        target, expected = prediction["cluster_nombre"], prediction["cluster_id"]
    else:
        known = {"clase", "probabilidades", "imputed", "unseen", "reasons"}
        (score,) = set(prediction) - known
        target, expected = prediction["clase"], prediction[score]
    return {
        "target": target,
        "expected": expected,
        "probabilities": probabilities,
        "confidence": probabilities.get(target),
    }
