"""The project's pipelines: one per stage, one per use case, and `__default__`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from kedro.pipeline import Pipeline

from clientela.context import load_switchboard
from clientela.pipelines.data_generation import pipeline as data_generation
from clientela.pipelines.deployment import pipeline as deployment
from clientela.pipelines.eda import pipeline as eda
from clientela.pipelines.feature_engineering import pipeline as feature_engineering
from clientela.pipelines.ingestion import pipeline as ingestion
from clientela.pipelines.labelling import pipeline as labelling
from clientela.pipelines.monitoring import pipeline as monitoring
from clientela.pipelines.ordinal_target import pipeline as ordinal_target
from clientela.pipelines.scoring import pipeline as scoring
from clientela.pipelines.segmentation import pipeline as segmentation
from clientela.pipelines.training import pipeline as training
from clientela.use_cases import UseCase, parse_use_cases


class CreatePipeline(Protocol):
    """What every stage's `pipeline.py` offers."""

    def __call__(self, use_case: UseCase) -> Pipeline:
        """The stage for one use case."""
        ...


CREATE_PIPELINE: Final[Mapping[str, CreatePipeline]] = MappingProxyType(
    {
        "data_generation": data_generation.create_pipeline,
        "ingestion": ingestion.create_pipeline,
        "labelling": labelling.create_pipeline,
        "eda": eda.create_pipeline,
        "feature_engineering": feature_engineering.create_pipeline,
        "ordinal_target": ordinal_target.create_pipeline,
        "segmentation": segmentation.create_pipeline,
        "training": training.create_pipeline,
        "scoring": scoring.create_pipeline,
        "monitoring": monitoring.create_pipeline,
        "deployment": deployment.create_pipeline,
    }
)

# Stages that write where people keep their own data, or need a cloud, run only when named.
ON_REQUEST: Final = frozenset({"data_generation", "deployment"})


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines of every use case that is switched on in the configuration in use.

    Returns:
        Each stage that some use case has, over all of them; each use case with the shared tables
        it needs, without the stages that run only when named (as `kedro run --tags=<use case>`);
        and `__default__`, which is all use cases together.
    """
    use_cases = parse_use_cases(load_switchboard())
    stages = create_stage_pipelines(use_cases)
    default = sum((made for stage, made in stages.items() if stage not in ON_REQUEST), Pipeline([]))
    by_use_case = {
        name: default.only_nodes_with_tags(name)
        for name, use_case in use_cases.items()
        if use_case.task is not None
    }
    return stages | by_use_case | {"__default__": default}


def create_stage_pipelines(use_cases: Mapping[str, UseCase]) -> dict[str, Pipeline]:
    """Each stage that some use case has, over all of them, in the order in which they run."""
    return {
        stage: sum((create_pipeline(each) for each in having), Pipeline([]))
        for stage, create_pipeline in CREATE_PIPELINE.items()
        if (having := [each for each in use_cases.values() if stage in each.stages])
    }
