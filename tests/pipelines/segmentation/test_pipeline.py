"""How the stage hangs together with those before and behind it."""

import pytest

from clientela.pipelines.feature_engineering.pipeline import create_pipeline as feature_engineering
from clientela.pipelines.scoring.pipeline import create_pipeline as scoring
from clientela.pipelines.segmentation.pipeline import create_pipeline as segmentation
from clientela.use_cases import UseCase

SEGMENTS = UseCase(
    name="customer_segments",
    kind="transactions",
    task="segments",
    shares="retail",
    stages=("feature_engineering", "segmentation", "scoring"),
    tags=("customer_segments",),
    shared_tables=("customers", "transactions"),
)


def own(names):
    return {name.removeprefix("customer_segments.") for name in names}


def test_segmentation_reads_features_and_what_earlier_runs_left():
    assert own(segmentation(SEGMENTS).inputs()) == {
        "customer_features",
        "layout",
        "previous_identities",
        "previous_exports",
        "params:customer_segments.features",
        "params:customer_segments.segmentation",
    }


def test_scoring_reads_the_stored_model_and_who_was_where_and_nothing_else_of_segmentation():
    between = scoring(SEGMENTS).inputs() & segmentation(SEGMENTS).all_outputs()
    assert own(between) == {"segmentation", "segment_members"}


@pytest.mark.parametrize("stage", [feature_engineering, segmentation, scoring])
def test_only_the_tables_of_retail_are_named_without_the_use_case(stage):
    pipeline = stage(SEGMENTS)
    names = {name.removeprefix("params:") for name in pipeline.datasets()}
    foreign = {name for name in names if not name.startswith("customer_segments.")}
    assert foreign <= {"transactions", "customers"}
    assert {tag for node in pipeline.nodes for tag in node.tags} == {"customer_segments"}


def test_all_stages_together_need_the_tables_of_retail_and_earlier_runs_only():
    pipeline = feature_engineering(SEGMENTS) + segmentation(SEGMENTS) + scoring(SEGMENTS)
    assert {name for name in own(pipeline.inputs()) if not name.startswith("params:")} == {
        "transactions",
        "customers",
        "previous_identities",
        "previous_exports",
    }
