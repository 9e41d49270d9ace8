"""The test that was not chosen: out of time beside a random draw, or the other way round."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clientela.exceptions import TrainingDataError
from clientela.modelling.problem import Problem
from clientela.modelling.schema import class_shares
from clientela.modelling.selection.fitting import (
    champion_contender,
    competing_contender,
    fitted_models,
)
from clientela.modelling.selection.test_part import (
    CHAMPION,
    REQUIRED,
    holdout_grades,
    holdout_predictions,
)
from clientela.modelling.settings import Holdout
from clientela.modelling.split import latest_parts, split_parts
from clientela.modelling.storage.stored_model import StoredModel

LEAST_LEARNED = 4
"""Rows of a class from which every kind learns: of four, any inner folds leave two."""


def holdout_parts(
    model_input: pd.DataFrame, holdout: Holdout, problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training part and test part of a model input, both sorted by key.

    Args:
        model_input: One row per key.
        holdout: Which rows are the test part.
        problem: What is learned; with `time`, its schema names the column.

    Returns:
        Training part and test part.
    """
    schema, settings = problem.schema, problem.settings
    share = settings.test_share
    if holdout == "time" and schema.time is not None:
        return latest_parts(model_input, key=schema.key, time=schema.time, test_share=share)
    return split_parts(
        model_input, key=schema.key, target=schema.target, test_share=share, seed=settings.seed
    )


def yardsticks(
    train: pd.DataFrame, tuned: Mapping[str, Mapping[str, Any]], problem: Problem
) -> dict[str, StoredModel]:
    """The further required models and the rules, fitted as they competed.

    Args:
        train: Training part, sorted by key.
        tuned: See `clientela.modelling.selection.tuning.tuned_candidates`.
        problem: What is learned.

    Returns:
        Candidate to model, without the first required one.
    """
    settings = problem.settings
    names = [*settings.of_role("required"), *settings.of_role("rule")]
    names.remove(settings.required)
    contenders = [competing_contender(name, tuned, problem) for name in names]
    return dict(zip(names, fitted_models(train, contenders, problem), strict=True))


def untestable(model_input: pd.DataFrame, problem: Problem) -> str | None:
    """Why the latest rows can't be the other test part, in the readers' language.

    A random draw always can, since the model input was checked for it.

    Args:
        model_input: One row per key.
        problem: What is learned.

    Returns:
        A sentence; None where they can, where they are the chosen test part, or without a time.
    """
    time, cases = problem.schema.time, problem.settings.cases
    if time is None or problem.settings.holdout == "time":
        return None
    try:
        early, late = holdout_parts(model_input, "time", problem)
    except TrainingDataError:
        return (
            f"Sin prueba fuera de tiempo: {time} trae {model_input[time].nunique()} fecha(s) "
            f"distinta(s) en {len(model_input)} {cases}, y no separa los más recientes."
        )
    for called, part, fewest in (("antiguos", early, LEAST_LEARNED), ("recientes", late, 1)):
        for name, found in class_shares(part, problem.schema).items():
            if found["rows"] < fewest:
                return (
                    f"Sin prueba fuera de tiempo: entre los {len(part)} {cases} más {called} según "
                    f"{time} hay {found['rows']} de la clase «{name}», y hacen falta {fewest}."
                )
    return None


def other_predictions(
    model_input: pd.DataFrame,
    choice: Mapping[str, Any],
    tuned: Mapping[str, Mapping[str, Any]],
    problem: Problem,
) -> pd.DataFrame | None:
    """What champion and yardsticks, fitted anew, say about the other test part.

    Args:
        model_input: One row per key.
        choice: See `clientela.modelling.selection.champion.champion_choice`.
        tuned: See `clientela.modelling.selection.tuning.tuned_candidates`.
        problem: What is learned.

    Returns:
        See `clientela.modelling.selection.test_part.holdout_predictions`; None where rows have no
        time, so that there is no other way. Ask `untestable` before.
    """
    if problem.schema.time is None:
        return None
    other: Holdout = "time" if problem.settings.holdout == "random" else "random"
    train, test = holdout_parts(model_input, other, problem)
    required = competing_contender(problem.settings.required, tuned, problem)
    both = fitted_models(train, [champion_contender(choice), required], problem)
    models = dict(zip((CHAMPION, REQUIRED), both, strict=True))
    return holdout_predictions(test, models | yardsticks(train, tuned, problem), problem)


def other_holdout(predictions: pd.DataFrame | None, problem: Problem) -> dict[str, Any]:
    """The grades of the test that was not chosen.

    Args:
        predictions: What `other_predictions` returned.
        problem: What was learned.

    Returns:
        `tested`; where it is true `holdout` (its name) and the grades as
        `clientela.modelling.selection.test_part.holdout_grades` gives them.
    """
    if predictions is None:
        return {"tested": False}
    other = "time" if problem.settings.holdout == "random" else "random"
    return {"tested": True, "holdout": other, **holdout_grades(predictions, problem)}
