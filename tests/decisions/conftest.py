from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.registry.loans import USE_CASES, served

from clientela.decisions.case_file import DecisionSettings, build_case_files
from clientela.models.problem import create_problem
from clientela.models.reasons import build_reason_basis
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate
from clientela.registry.scorers import build_scorer

CONF = Path(__file__).parents[2] / "conf" / "base" / "parameters"


def read_parameters(use_case):
    return yaml.safe_load((CONF / f"{use_case}.yml").read_text("utf-8"))[use_case]


@pytest.fixture(scope="session", params=["loans", "applications"])
def lender(request):
    """A use case that decides about people: scorer of a package, settings, applications."""
    use_case = USE_CASES[request.param]()
    given = read_parameters(use_case.name)
    training = {
        name: given["training"][name]
        for name in ("costs", "fairness", "reason_codes", "labels", "primary_metric")
    }
    scorecard = {"kind": "woe_scorecard", "features": "deciding", "decisions": ["cost"]}
    training["candidates"] = {
        "todos": {"kind": "majority", "role": "rule", "decisions": ["half"]},
        "puntos": scorecard | {"role": "required"},
    }
    schema = use_case.problem.schema.tabular.model_dump(mode="json")
    problem = create_problem("binary", schema, TrainingSettings.model_validate(training))
    model = fit_model(use_case.learned_from, get_configured_candidate("puntos", problem), problem)
    basis = build_reason_basis(model, use_case.learned_from, problem)
    model = replace(model, manifest=model.manifest | {"reasons": basis})
    sources = problem.schema.tabular.sources
    used = {column for name in model.features for column in sources[name]}
    unread = {"read": False, "seen_minimum": None, "seen_maximum": None, "words": ()}
    fields = tuple(
        field if field.name in used else field.model_copy(update=unread)
        for field in use_case.fields
    )
    package = served(model, fields, use_case.params, use_case=use_case.name)
    settings = DecisionSettings.model_validate(given["decisions"])
    return build_scorer(package), settings, use_case.requests


@pytest.fixture(scope="session")
def files(lender):
    """The case files of all applications."""
    scorer, settings, requests = lender
    return build_case_files(scorer, requests, settings)
