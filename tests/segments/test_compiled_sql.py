"""Every expression of segments compiles for Spark as well as for DuckDB.

The goldens are reviewed in the diff; `python -m tests.segments.test_compiled_sql` rewrites them.
"""

from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pytest
import sqlglot
from tests.features.test_compiled_sql import COMPILERS, SparkOptions, sql
from tests.segments.tables import CATEGORICALS, LAYOUT, UNPOOLED, Shop, rubro

from clientela.features.rubros import aggregate_rubro_features, collect_rubro_counts
from clientela.features.segment_settings import ColumnLayout, SegmentFeatureParams

DATED = SegmentFeatureParams(fecha_modelo=date(2024, 2, 29), categoricals={"canal": 3})
PARAMS = [
    DATED,
    SegmentFeatureParams(window_months=None, pool_rest=False, categoricals={"canal": 3}),
    SegmentFeatureParams(categoricals={"canal": 3, "tienda": 2}),
]
SHORT = ColumnLayout(
    fecha_modelo=LAYOUT.fecha_modelo,
    rubros=(rubro("farmacia"), LAYOUT.rubros[-1]),
    categoricals={"canal": CATEGORICALS["canal"]},
)


@pytest.fixture(autouse=True)
def spark_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())


@pytest.mark.parametrize("dialect", COMPILERS)
@pytest.mark.parametrize("layout", [LAYOUT, UNPOOLED], ids=["pooled", "unpooled"])
@pytest.mark.parametrize("params", PARAMS, ids=["dated", "ever", "undated"])
def test_every_expression_compiles(
    layout: ColumnLayout, params: SegmentFeatureParams, dialect: str
) -> None:
    features = aggregate_rubro_features(Shop.transactions, Shop.customers, layout, params)
    found = {"features": features, **collect_rubro_counts(Shop.transactions, params)}
    for name, expression in found.items():
        parsed = sqlglot.parse_one(sql(expression, dialect), read=dialect)
        assert isinstance(parsed, sqlglot.exp.Query), name


def golden(dialect: str) -> Path:
    return Path(__file__).parent / "goldens" / f"features.{dialect}.sql"


def short_features(dialect: str) -> str:
    features: ir.Table = aggregate_rubro_features(Shop.transactions, Shop.customers, SHORT, DATED)
    return sql(features, dialect) + "\n"


@pytest.mark.parametrize("dialect", COMPILERS)
def test_the_sql_of_the_features_is_the_one_that_was_reviewed(dialect: str) -> None:
    assert short_features(dialect) == golden(dialect).read_text(encoding="utf-8"), (
        "If the change is meant, run `python -m tests.segments.test_compiled_sql` and review it."
    )


if __name__ == "__main__":
    ibis.options.pyspark = SparkOptions()
    for each in COMPILERS:
        golden(each).parent.mkdir(exist_ok=True)
        golden(each).write_text(short_features(each), encoding="utf-8")
