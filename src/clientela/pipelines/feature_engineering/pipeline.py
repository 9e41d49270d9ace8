"""Feature engineering: what was known of each customer before a cutoff."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.feature_engineering import nodes

TABLES = ["transactions", "customers", "feature_period", "params:features"]


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Transactions and customers in; features at three cutoffs and their scrambled twin out.

    Args:
        use_case: A use case on transactions.

    Returns:
        The stage for this use case.
    """
    return pipeline_of(
        use_case,
        "feature_engineering",
        [
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
        ],
    )
