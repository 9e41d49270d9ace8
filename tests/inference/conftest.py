from collections.abc import Callable
from functools import cache

import pytest
from tests.inference.loans import USE_CASES, UseCase, served

from clientela.models.stored_model import StoredModel
from clientela.registry.scorers import CompiledScorer, build_scorer


@pytest.fixture(scope="session")
def use_case() -> Callable[[str], UseCase]:
    return cache(lambda name: USE_CASES[name]())


@pytest.fixture(scope="session")
def learned(use_case: Callable[[str], UseCase]) -> Callable[[str, str], StoredModel]:
    """A candidate of a use case, fitted once."""
    return cache(lambda name, candidate: use_case(name).fitted(candidate))


@pytest.fixture(scope="session")
def scorer(
    use_case: Callable[[str], UseCase], learned: Callable[[str, str], StoredModel]
) -> Callable[[str, str], CompiledScorer]:
    """The scorer of a candidate, through its package."""

    def made(name: str, candidate: str) -> CompiledScorer:
        asked = use_case(name)
        return build_scorer(served(learned(name, candidate), asked.fields, asked.params))

    return cache(made)
