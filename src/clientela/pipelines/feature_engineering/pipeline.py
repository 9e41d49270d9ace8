"""Feature engineering: what was known of each customer, by what the use case is about."""

from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import (
    create_stage_pipeline,
    get_accepted_cases_name,
    get_cases_name,
)
from clientela.pipelines.feature_engineering import nodes
from clientela.use_cases import UseCase

TABLES = ["transactions", "customers", "feature_period", "params:features"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Ingested tables in; features out.

    On transactions these are features of customers: for segments what they buy in each rubro, else
    what was known at three cutoffs, and its scrambled twin. On a table with one row per case they
    are made from each row alone, by configuration.

    Raises:
        ConfigurationError: A use case of kind `table` does not have just one table.
    """
    if use_case.kind == "table":
        chain = _create_case_nodes(get_cases_name(use_case), get_accepted_cases_name(use_case))
    else:
        chain = _create_rubro_nodes() if use_case.task == "segments" else _create_customer_nodes()
    return create_stage_pipeline(use_case, "feature_engineering", chain)


def _create_case_nodes(cases: str, accepted: str) -> list[Node]:
    return [
        Node(
            nodes.count_rows_and_cells, [cases, "params:features"], "case_counts", name="case_counts"
        ),
        Node(
            nodes.report_usable_rows, ["case_counts", "params:features"], "row_report",
            name="row_report",
        ),
        Node(nodes.find_uninformative_columns, "case_counts", "column_findings", name="column_findings"),
        Node(nodes.list_column_roles, [cases, "params:features"], "column_roles", name="column_roles"),
        Node(
            nodes.build_case_feature_schema, "params:features", "feature_schema", name="feature_schema"
        ),
        Node(
            nodes.build_case_model_input,
            [cases, "row_report", "column_findings", "params:features"],
            "model_input",
            name="model_input",
        ),
        Node(
            nodes.compute_case_scoring_features,
            # nobody waits for a label to be scored
            [accepted, "params:features", "params:ingestion"],
            "scoring_features",
            name="scoring_features",
        ),
    ]  # fmt: skip


def _create_customer_nodes() -> list[Node]:
    return [
        Node(
            nodes.find_period_and_categories,
            "transactions",
            "observed_period",
            name="observed_period",
        ),
        Node(
            nodes.resolve_feature_period,
            ["observed_period", "params:features"],
            "feature_period",
            name="feature_period",
        ),
        *(
            Node(getattr(nodes, name), TABLES, name, name=name)
            for name in (
                "customer_features",
                "customer_features_other_cutoff",
                "scoring_features",
                "scrambled_features",
            )
        ),
    ]


def _create_rubro_nodes() -> list[Node]:
    return [
        Node(
            nodes.summarize_rubros,
            ["transactions", "params:features"],
            "observed_rubros",
            name="observed_rubros",
        ),
        Node(
            nodes.create_column_layout,
            ["observed_rubros", "previous_identities", "params:features"],
            "layout",
            name="layout",
        ),
        Node(
            nodes.compute_rubro_features,
            ["transactions", "customers", "layout", "params:features"],
            "customer_features",
            name="customer_features",
        ),
    ]
