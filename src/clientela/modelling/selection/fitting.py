"""The final fits: the champion and the required baseline on the whole training part."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from clientela.modelling.problem import Contender, Problem
from clientela.modelling.selection.champion import decision_of
from clientela.modelling.selection.threads import in_threads
from clientela.modelling.storage.manifest import model_manifest
from clientela.modelling.storage.stored_model import StoredModel


def champion_contender(choice: Mapping[str, Any]) -> Contender:
    """The champion as chosen: candidate, features, decision rule, parameters.

    Args:
        choice: See `clientela.modelling.selection.champion.champion_choice`.

    Returns:
        The contender.
    """
    row = choice["champion"]
    return Contender(row["candidate"], row["features"], decision_of(row), choice["params"])


def configured_contender(name: str, problem: Problem) -> Contender:
    """A candidate as configured: its own parameters, features and first decision rule.

    Args:
        name: A candidate.
        problem: What is learned.

    Returns:
        The contender.
    """
    entry = problem.settings.candidates[name]
    decision = entry.decisions[0] if entry.decisions else None
    return Contender(name, entry.features, decision, entry.params)


def competing_contender(
    name: str, tuned: Mapping[str, Mapping[str, Any]], problem: Problem
) -> Contender:
    """A candidate with the parameters that it competed with, and its first decision rule.

    Args:
        name: A candidate.
        tuned: See `clientela.modelling.selection.tuning.tuned_candidates`.
        problem: What is learned.

    Returns:
        The contender.
    """
    return replace(configured_contender(name, problem), params=tuned[name]["params"])


def fitted_model(train: pd.DataFrame, contender: Contender, problem: Problem) -> StoredModel:
    """One model, fitted on the whole training part.

    Args:
        train: Training part, sorted by key.
        contender: Which.
        problem: What is learned.

    Returns:
        The model with its manifest.
    """
    (model,) = fitted_models(train, [contender], problem)
    return model


def fitted_models(
    train: pd.DataFrame, contenders: Sequence[Contender], problem: Problem
) -> list[StoredModel]:
    """Several models, fitted on the whole training part, as many at a time as there are workers.

    Args:
        train: Training part, sorted by key.
        contenders: Which.
        problem: What is learned.

    Returns:
        One model with its manifest per contender.
    """
    calls = [(train, contender, problem) for contender in contenders]
    workers = min(len(calls), problem.settings.workers)
    return list(in_threads(_fitted, calls, workers))


def _fitted(train: pd.DataFrame, contender: Contender, problem: Problem) -> StoredModel:
    estimator = problem.unfitted(contender.candidate, contender.params, contender.decision)
    features = problem.schema.features(contender.features)
    fitted = estimator.fit(train[features], problem.schema.codes(train))
    return StoredModel(fitted, model_manifest(train, contender, problem))
