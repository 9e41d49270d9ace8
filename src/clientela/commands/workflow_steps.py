"""The steps of the project as a SageMaker pipeline: stages, each after those that it reads of."""

from collections.abc import Mapping
from typing import Final

from kedro.pipeline import Pipeline

from clientela.aws.workflow import Step, step_name
from clientela.contracts.use_cases import UseCase
from clientela.pipeline_registry import stage_pipelines

LEFT_OUT: Final = frozenset({"data_generation"})
"""Stages that never run on a schedule: they write where people keep their own data."""


def workflow_steps(use_cases: Mapping[str, UseCase]) -> list[Step]:
    """One step per stage and entry of the switchboard, each after those whose files it reads.

    Args:
        use_cases: Entries that are on.

    Returns:
        Steps, none before one that it follows.
    """
    parts = stage_parts(use_cases)
    written = {name: part.all_outputs() for name, part in parts.items()}
    steps = {
        name: Step(
            *name,
            tuple(
                step_name(*other)
                for other in parts
                if other != name and written[other] & part.inputs()
            ),
        )
        for name, part in parts.items()
    }
    return _in_order(list(steps.values()))


def stage_parts(use_cases: Mapping[str, UseCase]) -> dict[tuple[str, str], Pipeline]:
    """What `kedro run --pipelines=<stage> --namespaces=<entry>` runs.

    Args:
        use_cases: Entries that are on.

    Returns:
        Entry and stage to its nodes.
    """
    stages = stage_pipelines(use_cases)
    return {
        (name, stage): stages[stage].only_nodes_with_namespaces([name])
        for name, entry in use_cases.items()
        for stage in entry.stages
        if stage not in LEFT_OUT
    }


def _in_order(steps: list[Step]) -> list[Step]:
    """The same steps, none before one that it follows; otherwise as they stand."""
    left, ordered = list(steps), list[Step]()
    while left:
        done = {step.name for step in ordered}
        ordered.append(next(step for step in left if done.issuperset(step.after)))
        left.remove(ordered[-1])
    return ordered
