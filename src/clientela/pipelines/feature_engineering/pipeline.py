"""Feature engineering: what was known of each customer or case, by what the use case is about."""

from collections.abc import Callable
from typing import Any, TypeAlias

from kedro.pipeline import Node, Pipeline

from clientela.features.table_settings import feature_schema
from clientela.pipelines.assembly import (
    create_stage_pipeline,
    get_accepted_cases_name,
    get_cases_name,
)
from clientela.pipelines.feature_engineering import nodes
from clientela.use_cases import UseCase

FEATURES = "params:features"
TABLES = ["transactions", "customers", "feature_period", FEATURES]

# Function, inputs, and the output that the node is named after.
Step: TypeAlias = tuple[Callable[..., Any], list[str], str]

CUSTOMERS: list[Step] = [
    (nodes.find_period_and_categories, ["transactions"], "observed_period"),
    (nodes.resolve_feature_period, ["observed_period", FEATURES], "feature_period"),
    (nodes.customer_features, TABLES, "customer_features"),
    (nodes.plan_scoring_cutoffs, ["feature_period", FEATURES], "cutoff_plan"),
    (nodes.scoring_features, TABLES, "scoring_features"),
    (nodes.scrambled_features, TABLES, "scrambled_features"),
]

RUBROS: list[Step] = [
    (nodes.summarize_rubros, ["transactions", "customers", FEATURES], "observed_rubros"),
    (nodes.create_column_layout, ["observed_rubros", "previous_identities", FEATURES], "layout"),
    (
        nodes.compute_rubro_features,
        ["transactions", "customers", "layout", FEATURES],
        "customer_features",
    ),
]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Ingested tables in; features out.

    On transactions these are features of customers: for segments what they buy in each rubro, else
    what was known at two cutoffs, and the scrambled twin of the first. On a table with one row per
    case they are made from each row alone, by configuration.

    Raises:
        ConfigurationError: A use case of kind `table` does not have just one table.
    """
    if use_case.kind == "table":
        steps = _list_case_steps(get_cases_name(use_case), get_accepted_cases_name(use_case))
    else:
        steps = RUBROS if use_case.task == "segments" else CUSTOMERS
    chain = [Node(function, inputs, output, name=output) for function, inputs, output in steps]
    return create_stage_pipeline(use_case, "feature_engineering", chain)


def _list_case_steps(cases: str, accepted: str) -> list[Step]:
    checked = ["row_report", "column_findings"]
    return [
        (nodes.count_rows_and_cells, [cases, FEATURES], "case_counts"),
        (nodes.report_usable_rows, ["case_counts", "row_accounting", FEATURES], "row_report"),
        (nodes.find_uninformative_columns, ["case_counts"], "column_findings"),
        (nodes.list_column_roles, [cases, FEATURES], "column_roles"),
        (feature_schema, [FEATURES], "feature_schema"),
        (nodes.build_case_model_input, [cases, *checked, FEATURES], "model_input"),
        # the accepted table, not the labelled one: nobody waits for a label to be scored
        (
            nodes.compute_case_scoring_features,
            [accepted, FEATURES, "params:ingestion"],
            "scoring_features",
        ),
    ]
