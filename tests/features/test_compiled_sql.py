"""Every expression of features and target compiles for Spark as well as for DuckDB.

The goldens are reviewed in the diff; `python -m tests.features.test_compiled_sql` rewrites them.
"""

from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pytest
import sqlglot
from ibis.backends.sql.compilers import DuckDBCompiler, PySparkCompiler
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.config import Config
from tests.features.tables import Engine

from clientela.features.cutoff import Cutoff
from clientela.features.leakage import scramble_customers, scramble_transactions
from clientela.features.settings import FeatureParams
from clientela.features.transactions import (
    OrdinalClass,
    OrdinalTarget,
    add_inactive_customers,
    customer_features,
    customer_target,
)
from clientela.pipelines.feature_engineering.nodes import find_period_and_categories
from clientela.pipelines.ordinal_target.nodes import (
    build_ordinal_model_input,
    count_changed_features,
)

LAST = Cutoff("last_transaction", None, 3)
CALENDAR = Cutoff("calendar", date(2024, 2, 29), 3)
REQUIRED = FeatureParams(category="TECNOLOGÍA", extended=False)
RULE = OrdinalTarget(
    classes=(
        OrdinalClass(name="sin_compra", at_least=0, value=0),
        OrdinalClass(name="alta", at_least=1, value=1),
    )
)
COMPILERS: dict[str, SQLGlotCompiler] = {"duckdb": DuckDBCompiler(), "spark": PySparkCompiler()}
TRANSACTIONS, CUSTOMERS = Engine.transactions, Engine.customers


class SparkOptions(Config):  # type: ignore[misc]
    """What Ibis registers once it loads its Spark backend, which needs pyspark."""

    treat_nan_as_null: bool = False


@pytest.fixture(autouse=True)
def spark_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())


def sql(expression: ir.Table, dialect: str) -> str:
    compiled = COMPILERS[dialect].to_sqlglot(expression.unbind())
    return str(compiled.sql(dialect, pretty=True))


def expressions(cutoff: Cutoff, params: FeatureParams) -> dict[str, ir.Table]:
    features = customer_features(TRANSACTIONS, CUSTOMERS, cutoff, params)
    future = scramble_transactions(TRANSACTIONS, cutoff)
    balances = scramble_customers(TRANSACTIONS, CUSTOMERS, cutoff)
    scrambled = customer_features(future, balances, cutoff, params)
    target = customer_target(TRANSACTIONS, cutoff, params, RULE)
    return {
        "features": features,
        "scoring_features": add_inactive_customers(features, CUSTOMERS),
        "scrambled_transactions": future,
        "scrambled_customers": balances,
        "scrambled_features": scrambled,
        "target": target,
        "model_input": build_ordinal_model_input(features, target, params),
        **count_changed_features(features, scrambled),
        **find_period_and_categories(TRANSACTIONS),
    }


@pytest.mark.parametrize("dialect", COMPILERS)
@pytest.mark.parametrize("cutoff", [LAST, CALENDAR], ids=lambda cutoff: cutoff.mode)
@pytest.mark.parametrize(
    "params",
    [
        REQUIRED,
        FeatureParams(category="ropa", points_balance="snapshot", purchase_types=("COMPRA",)),
    ],
    ids=["required", "extended"],
)
def test_every_expression_compiles(cutoff: Cutoff, params: FeatureParams, dialect: str) -> None:
    for name, expression in expressions(cutoff, params).items():
        parsed = sqlglot.parse_one(sql(expression, dialect), read=dialect)
        assert isinstance(parsed, sqlglot.exp.Query), name


def golden(dialect: str) -> Path:
    return Path(__file__).parent / "goldens" / f"required_features.{dialect}.sql"


def required_features(dialect: str) -> str:
    features = customer_features(TRANSACTIONS, CUSTOMERS, LAST, REQUIRED)
    return sql(features, dialect) + "\n"


@pytest.mark.parametrize("dialect", COMPILERS)
def test_the_sql_of_the_required_features_is_the_one_that_was_reviewed(dialect: str) -> None:
    assert required_features(dialect) == golden(dialect).read_text(encoding="utf-8"), (
        "If the change is meant, run `python -m tests.features.test_compiled_sql` and review it."
    )


if __name__ == "__main__":
    ibis.options.pyspark = SparkOptions()
    for each in COMPILERS:
        golden(each).parent.mkdir(exist_ok=True)
        golden(each).write_text(required_features(each), encoding="utf-8")
