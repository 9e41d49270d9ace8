"""Feature engineering: what was known of each customer, by what the use case is about."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.feature_engineering import nodes, rubro_nodes

TABLES = ["transactions", "customers", "feature_period", "params:features"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Transactions and customers in; customer features out.

    For segments these are what customers buy in each rubro; else what was known at three cutoffs,
    and its scrambled twin.

    Args:
        use_case: A use case on transactions.

    Returns:
        The stage for this use case.
    """
    chain = _per_rubro() if use_case.task == "segments" else _before_cutoffs()
    return pipeline_of(use_case, "feature_engineering", chain)


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
