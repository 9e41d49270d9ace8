"""Exploration of an entry's tables, or of a use case's model input."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import accepted_name, cases_of, pipeline_of
from clientela.pipelines.eda import nodes
from clientela.reports.exploration import TARGET_TABLE
from clientela.reports.parameters import EdaParameters

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

    Args:
        use_case: What there is to explore.

    Returns:
        The stage for this use case.
    """
    if use_case.task is None:
        return _tables_explored(use_case)
    if use_case.task == "segments":
        chain = _looks(SEGMENT_INPUT) + _telling(use_case, [SEGMENT_INPUT], [], [])
        return pipeline_of(use_case, "eda", chain)
    return _model_input_explored(use_case)


def _tables_explored(use_case: UseCase) -> Pipeline:
    tables = list(use_case.tables)
    looks = [node for table in tables for node in _looks(accepted_name(use_case, table), table)]
    if use_case.kind != "transactions":
        return pipeline_of(use_case, "eda", looks + _telling(use_case, tables, [], []))
    activity = Node(
        nodes.eda_activity, inputs="transactions", outputs="eda_activity", name="eda_activity"
    )
    telling = _telling(use_case, tables, ["activity"], ACTIVITY_PLOTS)
    return pipeline_of(use_case, "eda", [*looks, activity, *telling])


def _model_input_explored(use_case: UseCase) -> Pipeline:
    found, plots = ["target"], list(TARGET_PLOTS)
    explored = EXPLORED_CASES if use_case.kind == "table" else MODEL_INPUT
    inputs = [explored, f"eda_quality_{MODEL_INPUT}", "feature_schema", "params:eda"]
    target = Node(nodes.eda_target, inputs=inputs, outputs="eda_target", name="eda_target")
    if use_case.kind == "table":
        return _cases_explored(use_case, target)
    chain = [*_looks(MODEL_INPUT), target]
    if use_case.kind == "transactions" and use_case.task == "ordinal":
        found, plots = [*found, "persistence"], [*plots, "persistence"]
        inputs = ["transactions", "params:features", "params:target"]
        chain += [
            Node(
                nodes.eda_persistence,
                inputs=inputs,
                outputs="eda_persistence",
                name="eda_persistence",
            )
        ]
    return pipeline_of(use_case, "eda", chain + _telling(use_case, [MODEL_INPUT], found, plots))


def _cases_explored(use_case: UseCase, target: Node) -> Pipeline:
    cases = cases_of(use_case)
    (table,) = use_case.tables
    beside = Node(
        nodes.explored_cases,
        inputs=[MODEL_INPUT, cases, "feature_schema"],
        outputs=EXPLORED_CASES,
        name=EXPLORED_CASES,
    )
    looks = [*_looks(cases, table), beside, *_looks(EXPLORED_CASES, MODEL_INPUT)]
    telling = _telling(use_case, [table, MODEL_INPUT], ["target"], TARGET_PLOTS)
    return pipeline_of(use_case, "eda", [*looks, target, *telling])


def _looks(dataset: str, table: str | None = None) -> list[Node]:
    """Both looks at a dataset, under the name that reports give to the table."""
    name = dataset if table is None else table
    first, second = f"eda_quality_{name}", f"eda_distributions_{name}"
    return [
        Node(nodes.eda_quality, inputs=[dataset, "params:eda"], outputs=first, name=first),
        Node(
            nodes.eda_distributions,
            inputs=[dataset, first, "params:eda"],
            outputs=second,
            name=second,
        ),
    ]


def _telling(
    use_case: UseCase, tables: list[str], found: list[str], plots: "tuple[str, ...] | list[str]"
) -> list[Node]:
    seen = [f"{look}_{table}" for table in tables for look in ("quality", "distributions")]
    inputs = {"parameters": "params:eda", **{name: f"eda_{name}" for name in (*seen, *found)}}
    if use_case.task not in (None, "segments"):
        inputs["schema"] = "feature_schema"
    of_tables = [f"{table}_{kind}" for table in tables for kind in ("numbers", "categories")]
    drawn = {plot: f"eda_plot_{plot}" for plot in (*plots, *of_tables)}
    return [
        Node(_findings(use_case.name), inputs=inputs, outputs="eda_findings", name="eda_findings"),
        Node(
            _report(use_case.name),
            inputs={"found": "eda_findings", **inputs},
            outputs={"page": "eda_report", **drawn},
            name="eda_report",
        ),
    ]


# Drawing libraries are imported where figures are drawn: every command registers every pipeline.


def _findings(entry: str) -> Callable[..., dict[str, Any]]:
    def eda_findings(
        parameters: EdaParameters,
        schema: dict[str, Any] | None = None,
        **frames: dict[str, pd.DataFrame],
    ) -> dict[str, Any]:
        from clientela.reports.findings import findings  # noqa: PLC0415

        return findings(nodes.exploration(entry, frames, schema), parameters)

    return eda_findings


def _report(entry: str) -> Callable[..., dict[str, Any]]:
    def eda_report(
        parameters: EdaParameters,
        found: dict[str, Any],
        schema: dict[str, Any] | None = None,
        **frames: dict[str, pd.DataFrame],
    ) -> dict[str, Any]:
        from clientela.reports.exploration_figures import figures  # noqa: PLC0415
        from clientela.reports.exploration_page import exploration_page  # noqa: PLC0415
        from clientela.reports.page import html  # noqa: PLC0415

        explored = nodes.exploration(entry, frames, schema)
        drawn = figures(explored, parameters)
        page = exploration_page(explored, found, drawn, parameters)
        return {"page": html(page, parameters.numbers), **drawn}

    return eda_report
