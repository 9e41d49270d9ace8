"""Monitoring of one use case."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline
from clientela.pipelines.monitoring import nodes
from clientela.pipelines.monitoring.inputs import MonitoringInput, build_segmented_input
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

    # a function of its own types, which functools.partial would hide from Kedro
    def drift(rows: MonitoringInput, settings: MonitoringSettings, **former: str) -> dict[str, Any]:
        return nodes.run_monitoring(rows, nodes.PreviousOutputs(**former), settings, use_case.name)

    collect: Callable[..., MonitoringInput] = nodes.collect_scored_rows
    inputs: list[str] | dict[str, str]
    if use_case.task == "segments":
        collect = build_segmented_input
        inputs = ["export_input", "export_csv", "segmentation", PARAMS]
    elif use_case.kind == "table":
        # a table holds the classes that are known by now
        inputs = TRAINED | {"labelled": "model_input"}
    else:
        # features at a cutoff lie ahead of their classes
        inputs = TRAINED | {"observed": "feature_period"}
    rows_node = Node(collect, inputs, "monitored_rows", name="monitored_rows")
    drift_inputs = FORMER | {"rows": "monitored_rows", "settings": PARAMS}
    drift_node = Node(drift, drift_inputs, WRITTEN, name="drift")
    alert_node = Node(
        nodes.send_alerts,
        ["drift_findings", PARAMS],
        ["drift_state", "drift_headline"],
        name="told",
    )
    return create_stage_pipeline(use_case, "monitoring", [rows_node, drift_node, alert_node])
