"""Every expression compiles for Spark as well as for DuckDB."""

import ibis
import ibis.expr.types as ir
import pytest
import sqlglot
from ibis.backends.sql.compilers import DuckDBCompiler, PySparkCompiler
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.config import Config
from tests.tabular.cases import CONFIGURED, LOANS

from clientela.features.table_features import case_features, count_rows_by_status, model_input
from clientela.features.table_report import count_cell_findings
from clientela.features.table_settings import TabularFeatureParams

COMPILERS: dict[str, SQLGlotCompiler] = {"duckdb": DuckDBCompiler(), "spark": PySparkCompiler()}
MATURITIES = [
    None,
    {"date_column": "fecha", "months": 6, "as_of": "2025-06-30"},
    {"date_column": "fecha", "term_column": "edad"},
]


class SparkOptions(Config):  # type: ignore[misc]
    """What Ibis registers once it loads its Spark backend, which needs pyspark."""

    treat_nan_as_null: bool = False


@pytest.fixture(autouse=True)
def spark_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())


def expressions(params: TabularFeatureParams) -> dict[str, ir.Table]:
    return {
        "case_features": case_features(LOANS.drop("pago", "saldo"), params),
        "model_input": model_input(LOANS, params),
        "row_accounts": count_rows_by_status(LOANS, params),
        "cell_counts": count_cell_findings(LOANS, params),
        "dates_as_text": model_input(LOANS.cast({"fecha": "string", "tipo": "float64"}), params),
    }


@pytest.mark.parametrize("dialect", COMPILERS)
@pytest.mark.parametrize("maturity", MATURITIES, ids=["always", "months", "term"])
def test_every_expression_compiles(maturity: dict[str, object] | None, dialect: str) -> None:
    params = TabularFeatureParams.model_validate(CONFIGURED | {"maturity": maturity})
    for name, expression in expressions(params).items():
        sql = COMPILERS[dialect].to_sqlglot(expression).sql(dialect)
        assert isinstance(sqlglot.parse_one(sql, read=dialect), sqlglot.exp.Query), name
