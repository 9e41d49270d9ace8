"""Every candidate's learner learns once from made-up rows, before any learns from real ones.

Learners check their parameters when they learn: without this a misspelt word would end a run after
minutes of tuning. Few rows and trees cost milliseconds, and reach the same checks.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from clientela.binary.balance import balanced
from clientela.exceptions import ConfigurationError
from clientela.modelling.settings import CandidateSettings, SearchRange

ROWS = 48
"""Enough for a learner that keeps a tenth of its rows for a validation of its own."""

FEW_STEPS = 2

STEPS = ("n_estimators", "max_iter")
"""Parameters that say how long learning takes."""

AROUND = ("classifier", "estimator", "regressor")
"""What estimators call the one that they stand around."""


def tried_params(candidate: CandidateSettings) -> list[Mapping[str, Any]]:
    """The parameters of a candidate, and those at both ends of what tuning may search.

    Args:
        candidate: As configured.

    Returns:
        One or three sets of parameters.
    """
    if not candidate.search:
        return [candidate.params]
    ends = {
        name: [int(end) if space.integer else end for end in (space.low, space.high)]
        if isinstance(space, SearchRange)
        else [space.choices[0], space.choices[-1]]
        for name, space in candidate.search.items()
    }
    low, high = ({name: pair[end] for name, pair in ends.items()} for end in (0, 1))
    return [candidate.params, candidate.params | low, candidate.params | high]


def rehearse(model: Any, features: list[str]) -> None:
    """Let the learner in a model learn from made-up rows.

    Args:
        model: Unfitted; what stands around its learner checks itself when it is built.
        features: Names of the columns, all of them numbers as after preprocessing.

    Raises:
        ConfigurationError: It can't learn, which with these rows is due to its parameters.
    """
    codes = np.arange(ROWS) % 2
    learner = balanced(_learner(model), codes)
    rows = pd.DataFrame({name: np.arange(ROWS, dtype=np.float64) for name in features})
    try:
        for name, steps in learner.get_params().items():
            if name in STEPS and (steps is None or (isinstance(steps, int) and steps > FEW_STEPS)):
                learner.set_params(**{name: FEW_STEPS})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the rows mean nothing, and so do remarks about them
            learner.fit(rows, codes)
    except (ConfigurationError, ValueError, TypeError) as err:
        # below the first line XGBoost prints its stack
        raise ConfigurationError(str(err).split("\n", maxsplit=1)[0]) from err


def _learner(model: Any) -> Any:
    if isinstance(model, Pipeline):
        return model[-1]
    inner = next((getattr(model, name) for name in AROUND if hasattr(model, name)), None)
    return model if inner is None else _learner(inner)
