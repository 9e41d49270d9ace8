"""A small table of loans, configured richly, and an engine to compute expressions over it."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from clientela.features.table_settings import TabularFeatureParams

CONFIGURED: dict[str, Any] = {
    "key": "id_credito",
    "target": {
        "column": "pago",
        "negative": {"label": 0, "name": "no_paga"},
        "positive": {"label": 1, "name": "paga"},
    },
    "required": ["edad", "salario", "cuota", "tipo"],
    "numeric": ["edad", "salario", "cuota", "saldo"],
    "categorical": ["tipo", "ciudad"],
    "ordinal": {"tendencia": ["Decreciente", "Estable", "Creciente"]},
    "excluded": {"puntaje": "known only after the credit ends"},
    "sensitive": ["edad", "genero"],
    "time": "fecha",
    "cleaning": {
        "numbers": {
            "edad": {"minimum": 18, "maximum": 100, "flag": True},
            "salario": {"maximum": 1000, "outside": "clip"},
        },
        "words": {
            "tipo": {"allowed": [4, 9], "other": "group"},
            "ciudad": {"allowed": ["Bogotá", "Cali"]},
            "tendencia": {"flag": True},
        },
    },
    "enrichment": {
        "sums": {"columns": {"deuda": ["saldo", "cuota"]}},
        "differences": {"columns": {"libre": ["salario", "cuota"]}},
        "products": {"columns": {"cuota_por_edad": ["cuota", "edad"]}},
        "ratios": {"columns": {"carga": ["deuda", "salario"]}},
        "logs": {"columns": ["saldo"]},
        "bands": {"columns": {"grupo_edad": {"column": "edad", "edges": [25, 40]}}},
        "dates": {
            "parts": {"fecha": ["month", "weekday", "hour"]},
            "days": {"antiguedad_dias": ["alta", "fecha"]},
        },
        "missing_flags": {"columns": ["saldo", "tendencia"]},
    },
}

PARAMS = TabularFeatureParams.model_validate(CONFIGURED)

TYPES = {
    "id_credito": "string",
    "fecha": "timestamp",
    "alta": "date",
    "edad": "int64",
    "salario": "int64",
    "cuota": "decimal(18, 2)",
    "saldo": "float64",
    "tipo": "int64",
    "ciudad": "string",
    "tendencia": "string",
    "genero": "string",
    "puntaje": "float64",
    "pago": "int64",
}
"""As ingestion types the table."""

ORDINARY: dict[str, Any] = {
    "id_credito": "c1",
    "fecha": "2025-03-10 14:30:00",  # a Monday
    "alta": "2025-03-01",
    "edad": 30,
    "salario": 100,
    "cuota": 10,
    "saldo": 20.0,
    "tipo": 4,
    "ciudad": "Cali",
    "tendencia": "Estable",
    "genero": "F",
    "puntaje": 95.0,
    "pago": 1,
}


def loan(**changes: Any) -> dict[str, Any]:
    """An ordinary loan but for some columns."""
    return ORDINARY | changes


def arrow_of(*rows: dict[str, Any]) -> pa.Table:
    """The rows, typed as ingestion types them."""
    names = dict.fromkeys(name for row in rows for name in row)
    schema = ibis.schema({name: TYPES.get(name, "string") for name in names}).to_pyarrow()
    typed = [
        {name: _value(row.get(name), TYPES.get(name, "string")) for name in names} for row in rows
    ]
    return pa.Table.from_pylist(typed, schema=schema)


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    match kind:
        case "timestamp" | "date":
            return datetime.fromisoformat(value)
        case "decimal(18, 2)":
            return Decimal(value)
        case _:
            return value


def table_of(*rows: dict[str, Any]) -> ir.Table:
    """The rows as a table in memory."""
    return ibis.memtable(arrow_of(*rows))


LOANS = ibis.table(TYPES, name="loans")
"""The table of loans, unbound, for `Engine.loans`."""


class Engine:
    """DuckDB on one thread; SQL of equal expressions is compiled once."""

    def __init__(self) -> None:
        self.backend: Backend = ibis.duckdb.connect(threads=1)
        self._sql = cache(lambda node: str(self.backend.compile(node.to_expr())))

    def frame(self, expression: ir.Table) -> pd.DataFrame:
        found: pd.DataFrame = self.backend.to_pandas(expression)
        return found

    def loans(self, expression: ir.Table, *rows: dict[str, Any]) -> pd.DataFrame:
        """The rows of an expression over `LOANS`, for many small tables."""
        con: duckdb.DuckDBPyConnection = self.backend.con
        con.register("loans", arrow_of(*rows))
        found: pd.DataFrame = con.sql(self._sql(expression.op())).to_arrow_table().to_pandas()
        return found
