"""Feature engineering: what was known of each customer, by what the use case is about."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import accepted_cases_of, cases_of, pipeline_of
from clientela.pipelines.feature_engineering import case_nodes, nodes, rubro_nodes

TABLES = ["transactions", "customers", "feature_period", "params:features"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Ingested tables in; features out.

    On transactions these are features of customers: for segments what they buy in each rubro, else
    what was known at three cutoffs, and its scrambled twin. On a table with one row per case they
    are made from each row alone, by configuration.

    Args:
        use_case: Any use case.

    Returns:
        The stage for this use case.

    Raises:
        ConfigurationError: A use case of kind `table` does not have just one table.
    """
    if use_case.kind == "table":
        chain = _of_cases(cases_of(use_case), accepted_cases_of(use_case))
    else:
        chain = _per_rubro() if use_case.task == "segments" else _before_cutoffs()
    return pipeline_of(use_case, "feature_engineering", chain)


def _of_cases(cases: str, accepted: str) -> list[Node]:
    return [
        Node(
            case_nodes.case_counts, [cases, "params:features"], "case_counts", name="case_counts"
        ),
        Node(
            case_nodes.row_report, ["case_counts", "params:features"], "row_report",
            name="row_report",
        ),
        Node(case_nodes.column_findings, "case_counts", "column_findings", name="column_findings"),
        Node(case_nodes.roles, [cases, "params:features"], "column_roles", name="column_roles"),
        Node(
            case_nodes.feature_schema, "params:features", "feature_schema", name="feature_schema"
        ),
        Node(
            case_nodes.model_input,
            [cases, "row_report", "column_findings", "params:features"],
            "model_input",
            name="model_input",
        ),
        Node(
            case_nodes.scoring_features,
            # nobody waits for a label to be scored
            [accepted, "params:features", "params:ingestion"],
            "scoring_features",
            name="scoring_features",
        ),
    ]  # fmt: skip


def _before_cutoffs() -> list[Node]:
    return [
        Node(nodes.observed_period, "transactions", "observed_period", name="observed_period"),
        Node(
            nodes.feature_period,
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


def _per_rubro() -> list[Node]:
    return [
        Node(
            rubro_nodes.observed_rubros,
            ["transactions", "params:features"],
            "observed_rubros",
            name="observed_rubros",
        ),
        Node(
            rubro_nodes.layout,
            ["observed_rubros", "previous_identities", "params:features"],
            "layout",
            name="layout",
        ),
        Node(
            rubro_nodes.customer_features,
            ["transactions", "customers", "layout", "params:features"],
            "customer_features",
            name="customer_features",
        ),
    ]
