from clientela.pipelines.feature_engineering.pipeline import create_pipeline
from clientela.use_cases import UseCase

INTENSITY = UseCase(
    name="purchase_intensity",
    kind="transactions",
    task="ordinal",
    shares="retail",
    stages=("feature_engineering",),
    tags=("purchase_intensity",),
    shared_tables=("customers", "transactions"),
)


def test_shared_tables_keep_their_names_and_everything_else_takes_the_namespace() -> None:
    stage = create_pipeline(INTENSITY)
    assert stage.inputs() == {
        "transactions",
        "customers",
        "params:purchase_intensity.features",
    }
    assert stage.all_outputs() == {
        f"purchase_intensity.{name}"
        for name in (
            "observed_period",
            "feature_period",
            "customer_features",
            "customer_features_other_cutoff",
            "scoring_features",
            "scrambled_features",
        )
    }


def test_nodes_carry_the_tags_of_their_use_case() -> None:
    assert {tag for node in create_pipeline(INTENSITY).nodes for tag in node.tags} == {
        "purchase_intensity"
    }


def test_a_table_of_cases_becomes_features_and_reports_of_what_happened_to_it() -> None:
    credit = UseCase(
        name="credit",
        kind="table",
        task="binary",
        stages=("feature_engineering",),
        tables={"loans": {}},
    )
    stage = create_pipeline(credit)
    given = {"credit.accepted_loans", "params:credit.features", "params:credit.ingestion"}
    assert stage.inputs() == given
    assert stage.all_outputs() == {
        f"credit.{name}"
        for name in (
            "case_counts",
            "row_report",
            "column_findings",
            "column_roles",
            "feature_schema",
            "model_input",
            "scoring_features",
        )
    }
