"""Monitoring of one use case."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline, list_simulated_names
from clientela.pipelines.monitoring import nodes
from clientela.pipelines.monitoring.inputs import (
    MonitoringInput,
    SimulatedRows,
    build_scored_input,
    build_segmented_input,
)
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.pipelines.monitoring.simulated_periods import (
    compute_simulated_cases,
    compute_simulated_customers,
    compute_simulated_segments,
    compute_unlabelled_cases,
)
from clientela.use_cases import UseCase

PARAMS, FEATURES = "params:monitoring", "params:features"
SEGMENTED = {
    "features": "export_input",
    "export": "export_csv",
    "model": "segmentation",
    "settings": PARAMS,
}
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

    simulated = _create_simulated_node(use_case)
    collect: Callable[..., MonitoringInput] = build_scored_input
    inputs: dict[str, str]
    if use_case.task == "segments":
        collect, inputs = build_segmented_input, SEGMENTED
    elif use_case.kind == "table":
        # a table holds the classes that are known by now
        inputs = TRAINED | {"labelled": "model_input"}
    else:
        # features at a cutoff lie ahead of their classes
        learned = {"training": "learning_part", "test": "backtest_part"}
        inputs = TRAINED | learned | {"observed": "feature_period"}
    if simulated is not None:
        inputs = inputs | {"simulated": "simulated_rows"}
    rows_node = Node(collect, inputs, "monitored_rows", name="monitored_rows")
    drift_inputs = FORMER | {"rows": "monitored_rows", "settings": PARAMS}
    drift_node = Node(drift, drift_inputs, WRITTEN, name="drift")
    alert_node = Node(
        nodes.send_alerts,
        ["drift_findings", PARAMS],
        ["drift_state", "drift_headline"],
        name="told",
    )
    made = [] if simulated is None else [simulated]
    return create_stage_pipeline(use_case, "monitoring", [*made, rows_node, drift_node, alert_node])


def _create_simulated_node(use_case: UseCase) -> Node | None:
    """What makes features of the simulated periods; None where no sample has any."""
    if use_case.kind == "table":
        table = next((name for name, each in use_case.tables.items() if each.generator), None)
        if table is None:
            return None
        compute: Callable[..., list[SimulatedRows]] = compute_simulated_cases
        if "labelling" in use_case.stages:
            compute = compute_unlabelled_cases
        inputs = [*list_simulated_names([table]), FEATURES]
    else:
        tables = list_simulated_names(["transactions", "customers"])
        if use_case.task == "segments":
            compute = compute_simulated_segments
            inputs = [*tables, "segmentation", FEATURES, "params:segmentation"]
        else:
            compute, inputs = compute_simulated_customers, [*tables, FEATURES]
    return Node(compute, inputs, "simulated_rows", name="simulated_rows")
