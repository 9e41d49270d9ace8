"""Exploration of an entry's tables, or of a use case's model input."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import (
    create_stage_pipeline,
    get_accepted_dataset_name,
    get_cases_name,
)
from clientela.pipelines.eda import nodes
from clientela.pipelines.eda.association import TARGET_TABLE, EdaParameters
from clientela.use_cases import UseCase

MODEL_INPUT, SEGMENT_INPUT = TARGET_TABLE, "customer_features"
EXPLORED_CASES = "explored_cases"
ACTIVITY_PLOTS = ("months", "hours", "categories", "customers")
TARGET_PLOTS = ("classes", "class_mix", "correlations")


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Tables in; findings, plots and one HTML report out.

    An entry without a task explores the tables that it prepares; segments explore the features that
    they are made from; another use case explores its model input: its target, and for a target
    counted from purchases how buying persists. A use case on one table explores that table too, and
    holds the columns that are no features against the target beside those that are.
    """
    if use_case.task is None:
        return _create_tables_pipeline(use_case)
    if use_case.task == "segments":
        chain = _create_summary_nodes(SEGMENT_INPUT) + _create_report_nodes(
            use_case, [SEGMENT_INPUT], [], []
        )
        return create_stage_pipeline(use_case, "eda", chain)
    return _create_model_input_pipeline(use_case)


def _create_tables_pipeline(use_case: UseCase) -> Pipeline:
    tables = list(use_case.tables)
    looks = [
        node
        for table in tables
        for node in _create_summary_nodes(get_accepted_dataset_name(use_case, table), table)
    ]
    if use_case.kind != "transactions":
        return create_stage_pipeline(
            use_case, "eda", looks + _create_report_nodes(use_case, tables, [], [])
        )
    activity = Node(
        nodes.summarize_activity, inputs="transactions", outputs="eda_activity", name="eda_activity"
    )
    telling = _create_report_nodes(use_case, tables, ["activity"], ACTIVITY_PLOTS)
    return create_stage_pipeline(use_case, "eda", [*looks, activity, *telling])


def _create_model_input_pipeline(use_case: UseCase) -> Pipeline:
    found, plots = ["target"], list(TARGET_PLOTS)
    explored = EXPLORED_CASES if use_case.kind == "table" else MODEL_INPUT
    inputs = [explored, f"eda_quality_{MODEL_INPUT}", "feature_schema", "params:eda"]
    target = Node(nodes.summarize_target, inputs=inputs, outputs="eda_target", name="eda_target")
    if use_case.kind == "table":
        return _create_cases_pipeline(use_case, target)
    chain = [*_create_summary_nodes(MODEL_INPUT), target]
    if use_case.kind == "transactions" and use_case.task == "ordinal":
        found, plots = [*found, "persistence"], [*plots, "persistence"]
        inputs = ["transactions", "params:features", "params:target"]
        chain += [
            Node(
                nodes.summarize_persistence,
                inputs=inputs,
                outputs="eda_persistence",
                name="eda_persistence",
            )
        ]
    return create_stage_pipeline(
        use_case, "eda", chain + _create_report_nodes(use_case, [MODEL_INPUT], found, plots)
    )


def _create_cases_pipeline(use_case: UseCase, target: Node) -> Pipeline:
    cases = get_cases_name(use_case)
    (table,) = use_case.tables
    beside = Node(
        nodes.join_excluded_columns,
        inputs=[MODEL_INPUT, cases, "feature_schema"],
        outputs=EXPLORED_CASES,
        name=EXPLORED_CASES,
    )
    looks = [
        *_create_summary_nodes(cases, table),
        beside,
        *_create_summary_nodes(EXPLORED_CASES, MODEL_INPUT),
    ]
    telling = _create_report_nodes(use_case, [table, MODEL_INPUT], ["target"], TARGET_PLOTS)
    return create_stage_pipeline(use_case, "eda", [*looks, target, *telling])


def _create_summary_nodes(dataset: str, table: str | None = None) -> list[Node]:
    """Both looks at a dataset, under the name that reports give to the table."""
    name = dataset if table is None else table
    first, second = f"eda_quality_{name}", f"eda_distributions_{name}"
    return [
        Node(nodes.summarize_columns, inputs=[dataset, "params:eda"], outputs=first, name=first),
        Node(
            nodes.summarize_distributions,
            inputs=[dataset, first, "params:eda"],
            outputs=second,
            name=second,
        ),
    ]


def _create_report_nodes(
    use_case: UseCase, tables: list[str], found: list[str], plots: "tuple[str, ...] | list[str]"
) -> list[Node]:
    seen = [f"{look}_{table}" for table in tables for look in ("quality", "distributions")]
    inputs = {"parameters": "params:eda", **{name: f"eda_{name}" for name in (*seen, *found)}}
    if use_case.task not in (None, "segments"):
        inputs["schema"] = "feature_schema"
    of_tables = [f"{table}_{kind}" for table in tables for kind in ("numbers", "categories")]
    drawn = {plot: f"eda_plot_{plot}" for plot in (*plots, *of_tables)}
    return [
        Node(
            _make_findings_function(use_case.name),
            inputs=inputs,
            outputs="eda_findings",
            name="eda_findings",
        ),
        Node(
            _make_report_function(use_case.name),
            inputs={"found": "eda_findings", **inputs},
            outputs={"page": "eda_report", **drawn},
            name="eda_report",
        ),
    ]


# Drawing libraries are imported where figures are drawn: every command registers every pipeline.


def _make_findings_function(entry: str) -> Callable[..., dict[str, Any]]:
    def eda_findings(
        parameters: EdaParameters,
        schema: dict[str, Any] | None = None,
        **frames: dict[str, pd.DataFrame],
    ) -> dict[str, Any]:
        from clientela.pipelines.eda.findings import build_findings  # noqa: PLC0415

        return build_findings(nodes.build_exploration(entry, frames, schema), parameters)

    return eda_findings


def _make_report_function(entry: str) -> Callable[..., dict[str, Any]]:
    def eda_report(
        parameters: EdaParameters,
        found: dict[str, Any],
        schema: dict[str, Any] | None = None,
        **frames: dict[str, pd.DataFrame],
    ) -> dict[str, Any]:
        from clientela.pipelines.eda.charts import plot_exploration  # noqa: PLC0415
        from clientela.pipelines.eda.page import build_exploration_page  # noqa: PLC0415
        from clientela.reporting.page import render_html  # noqa: PLC0415

        explored = nodes.build_exploration(entry, frames, schema)
        drawn = plot_exploration(explored, parameters)
        page = build_exploration_page(explored, found, drawn, parameters)
        return {"page": render_html(page, parameters.numbers), **drawn}

    return eda_report
