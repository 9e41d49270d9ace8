from datetime import date

import pandas as pd
import pytest
from tests.features.tables import Engine, Person, Tx, at

from clientela.exceptions import ConfigurationError, TrainingDataError
from clientela.features.settings import FeatureParams
from clientela.pipelines.feature_engineering import nodes

TECH = FeatureParams(category="TECNOLOGÍA")
ROWS = [
    Tx("ana", at("2023-01-31 09:30"), "ropa"),
    Tx("ana", at("2024-02-10")),
    Tx("ana", at("2024-05-31 18:00"), "ropa"),
    Tx("beto", at("2024-04-01"), "hogar"),
]
PERIOD = {"first": "2023-01-31", "last": "2024-05-31"}
TABLES = (Engine.transactions, Engine.customers)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def observed(engine: Engine, rows: list[Tx]) -> dict[str, pd.DataFrame]:
    tables = nodes.find_period_and_categories(Engine.transactions)
    return {
        name: pd.DataFrame(engine.rows(table, rows), columns=list(table.columns))
        for name, table in tables.items()
    }


def test_the_observed_period_holds_both_ends_and_every_category(engine: Engine) -> None:
    found = observed(engine, ROWS)
    assert found["period"].to_dict("records") == [
        {"first": at("2023-01-31 09:30"), "last": at("2024-05-31 18:00")}
    ]
    assert found["categories"].to_dict("records") == [
        {"rubro": "ropa", "rows": 2},
        {"rubro": "hogar", "rows": 1},
        {"rubro": "tecnologia", "rows": 1},
    ]


def test_the_period_is_stored_as_dates(engine: Engine) -> None:
    assert nodes.resolve_feature_period(observed(engine, ROWS), TECH) == PERIOD


@pytest.mark.parametrize(
    ("category", "hint"),
    [
        ("TECNOLOJIA", r"Did you mean 'tecnologia'\?"),
        ("Juguetes", "Known: hogar, ropa, tecnologia"),
    ],
)
def test_a_category_that_does_not_exist_is_told_the_nearest_ones(
    engine: Engine, category: str, hint: str
) -> None:
    message = rf"{category}.*features\.category.*{hint}.*most frequent: ropa, hogar, tecnologia"
    with pytest.raises(ConfigurationError, match=message):
        nodes.resolve_feature_period(observed(engine, ROWS), FeatureParams(category=category))


def test_an_empty_table_is_told_where_its_rows_went(engine: Engine) -> None:
    with pytest.raises(TrainingDataError, match=r"transactions is empty.*--pipelines=ingestion"):
        nodes.resolve_feature_period(observed(engine, []), TECH)


def test_each_table_has_the_cutoff_of_its_purpose(engine: Engine) -> None:
    counts = {}
    for mode in ("last_transaction", "calendar"):
        params = TECH.model_copy(update={"cutoff_mode": mode})
        found = engine.by_customer(nodes.customer_features(*TABLES, PERIOD, params), ROWS)
        counts[mode] = {key: row["num_tx_total"] for key, row in found.items()}
    scored = engine.by_customer(nodes.scoring_features(*TABLES, PERIOD, TECH), ROWS)
    counts["scoring"] = {key: row["num_tx_total"] for key, row in scored.items()}
    assert counts == {
        "last_transaction": {"ana": 2, "beto": 0},
        "calendar": {"ana": 2, "beto": 0},
        "scoring": {"ana": 3, "beto": 1},
    }


def test_the_configured_calendar_cutoff_is_used(engine: Engine) -> None:
    params = FeatureParams(category="ropa", cutoff_mode="calendar", as_of=date(2024, 2, 10))
    found = engine.by_customer(nodes.customer_features(*TABLES, PERIOD, params), ROWS)
    assert {key: row["num_tx_total"] for key, row in found.items()} == {"ana": 1, "beto": 0}


def test_the_plan_hides_what_followed_each_past_day() -> None:
    params = FeatureParams.model_validate({"category": "ropa", "scoring_cutoffs": {"count": 3}})
    plan = nodes.plan_scoring_cutoffs({"first": "2023-01-01", "last": "2024-06-30"}, params)
    assert plan == {
        "backtests": [
            {"day": "2024-04-01", "learned": ["2024-01-01", "2023-12-17", "2023-12-02"]},
            {"day": "2024-01-01", "learned": ["2023-10-01", "2023-09-16", "2023-09-01"]},
        ],
        "learned": ["2024-04-01", "2024-03-17", "2024-03-02"],
        "learn": "calendar",
    }


@pytest.mark.parametrize("first", ["2024-05-31", "2024-01-15"])
def test_a_history_too_short_to_learn_and_to_test_scores_is_refused(first: str) -> None:
    period = {"first": first, "last": "2024-05-31"}
    with pytest.raises(TrainingDataError, match=rf"{first} to 2024-05-31.*features\.target_months"):
        nodes.plan_scoring_cutoffs(period, TECH)


def test_as_many_days_are_tested_as_the_history_allows() -> None:
    plan = nodes.plan_scoring_cutoffs({"first": "2023-10-01", "last": "2024-06-30"}, TECH)
    assert [test["day"] for test in plan["backtests"]] == ["2024-04-01"]
    short = nodes.plan_scoring_cutoffs({"first": "2023-11-20", "last": "2024-06-30"}, TECH)
    assert [test["learned"] for test in short["backtests"]] == [["2024-01-01"]]


def test_scoring_knows_customers_who_never_bought(engine: Engine) -> None:
    people = [Person("ana", estrato_social=3), Person("celia", estrato_social=5)]
    found = engine.by_customer(nodes.scoring_features(*TABLES, PERIOD, TECH), ROWS, people)
    flags = {key: row["sin_historial"] for key, row in found.items()}
    assert flags == {"ana": 0, "beto": 0, "celia": 1}


@pytest.mark.parametrize("mode", ["last_transaction", "calendar"])
def test_scrambled_features_equal_the_features(engine: Engine, mode: str) -> None:
    params = FeatureParams.model_validate({"category": "ropa", "cutoff_mode": mode})
    people = [Person("ana", date(1990, 2, 28), 3, 120)]
    honest = nodes.customer_features(*TABLES, PERIOD, params)
    scrambled = nodes.scrambled_features(*TABLES, PERIOD, params)
    assert engine.by_customer(scrambled, ROWS, people) == engine.by_customer(honest, ROWS, people)
