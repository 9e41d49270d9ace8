"""Monitoring of one use case."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.monitoring import nodes
from clientela.pipelines.monitoring.inputs import MonitoringInput
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.use_cases import UseCase

PARAMS = "params:monitoring"
TRAINED = {
    "features": "scoring_features",
    "scores": "scores",
    "settings": PARAMS,
    "champion": "champion",
    "schema": "feature_schema",
    "training": "training_part",
    "test": "test_part",
    "grades": "test_grades",
    "explanations": "explanations",
}
FORMER = {
    "profile": "former_profile",
    "parts": "former_parts",
    "log": "former_log",
    "by_period": "former_by_period",
    "by_segment": "former_by_segment",
}
WRITTEN = {
    "profile": "baseline_profile",
    "parts": "baseline_parts",
    "latest": "latest_drift_metrics",
    "by_period": "drift_by_period",
    "by_segment": "drift_by_segment",
    "bins": "bin_shares",
    "log": "monitoring_log",
    "findings": "drift_findings",
}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Today's scores or segments and the frozen baseline in; drift, state and alert out."""
    return create_stage_pipeline(
        use_case, "monitoring", [_create_rows_node(use_case), *_create_drift_nodes(use_case.name)]
    )


def _create_rows_node(use_case: UseCase) -> Node:
    if use_case.task == "segments":
        inputs = ["export_input", "export_csv", "segmentation", PARAMS]
        return Node(nodes.collect_segmented_rows, inputs, "monitored_rows", name="monitored_rows")
    # a table holds the classes that are known by now; features at a cutoff lie ahead of theirs
    table = use_case.kind == "table"
    known = {"labelled": "model_input"} if table else {"observed": "feature_period"}
    return Node(nodes.collect_scored_rows, TRAINED | known, "monitored_rows", name="monitored_rows")


def _create_drift_nodes(name: str) -> list[Node]:
    return [
        Node(
            _make_drift_function(name),
            FORMER | {"rows": "monitored_rows", "settings": PARAMS},
            WRITTEN,
            name="drift",
        ),
        Node(
            nodes.send_alerts,
            inputs=["drift_findings", PARAMS],
            outputs=["drift_state", "drift_headline"],
            name="told",
        ),
    ]


def _make_drift_function(use_case: str) -> Callable[..., dict[str, Any]]:
    """`drift` of one use case, its types in sight of Kedro, which functools.partial would hide."""

    def drift(rows: MonitoringInput, settings: MonitoringSettings, **former: str) -> dict[str, Any]:
        return nodes.compute_drift(rows, former, use_case, settings)

    return drift
