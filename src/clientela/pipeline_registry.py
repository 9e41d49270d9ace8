"""Meets the two axes: every stage, instantiated for every use case that is switched on."""

from collections.abc import Mapping
from functools import reduce
from importlib import import_module
from operator import add
from pkgutil import iter_modules

from kedro.pipeline import Pipeline

import clientela.pipelines
from clientela.config_loader import ActiveConfigLoader
from clientela.use_cases import UseCase, parse_use_cases

# Stages that write where people keep their own data, or need a cloud, run only when named.
ON_REQUEST = frozenset({"data_generation", "deployment"})


def register_pipelines() -> dict[str, Pipeline]:
    """One pipeline per stage, plus `__default__`: all stages that run without being named.

    Returns:
        Stage name to its pipeline over all use cases that are on in the active configuration.

    Raises:
        ConfigurationError: The switchboard contradicts itself.
    """
    use_cases = parse_use_cases(ActiveConfigLoader.active()["use_cases"], list_stages())
    stages = build_stage_pipelines(use_cases)
    default = [pipeline for stage, pipeline in stages.items() if stage not in ON_REQUEST]
    return stages | {"__default__": reduce(add, default, Pipeline([]))}


def list_stages() -> frozenset[str]:
    """The names of all stages: the packages under `clientela.pipelines`."""
    return frozenset(m.name for m in iter_modules(clientela.pipelines.__path__) if m.ispkg)


def build_stage_pipelines(use_cases: Mapping[str, UseCase]) -> dict[str, Pipeline]:
    """Each stage that some use case has, over all of them.

    Returns:
        Stage name to the sum of its pipelines.
    """
    stages: dict[str, Pipeline] = {}
    for use_case in use_cases.values():
        for stage in use_case.stages:
            module = import_module(f"clientela.pipelines.{stage}.pipeline")
            stages[stage] = stages.get(stage, Pipeline([])) + module.create_pipeline(use_case)
    return stages
