"""A small table of loans, configured richly."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

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

TYPES: dict[str, pa.DataType] = {
    "id_credito": pa.string(),
    "fecha": pa.timestamp("us"),
    "alta": pa.date32(),
    "edad": pa.int64(),
    "salario": pa.int64(),
    "cuota": pa.decimal128(18, 2),
    "saldo": pa.float64(),
    "tipo": pa.int64(),
    "ciudad": pa.string(),
    "tendencia": pa.string(),
    "genero": pa.string(),
    "puntaje": pa.float64(),
    "pago": pa.int64(),
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


def configured(**changes: Any) -> TabularFeatureParams:
    """The parameters of the loans, but for some top-level fields."""
    return TabularFeatureParams.model_validate(CONFIGURED | changes)


def table_of(*rows: dict[str, Any]) -> pa.Table:
    """The rows, typed as ingestion types them; without a key of their own they are `c0`, `c1`, …"""
    keyed = [
        row | {"id_credito": f"c{place}"} if row.get("id_credito") == "c1" else row
        for place, row in enumerate(rows)
    ]
    names = dict.fromkeys(name for row in keyed for name in row)
    types = {name: TYPES.get(name, pa.string()) for name in names}
    typed = [{name: _value(row.get(name), types[name]) for name in names} for row in keyed]
    return pa.Table.from_pylist(typed, schema=pa.schema(types))


def _value(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, str) and pa.types.is_temporal(kind):
        return datetime.fromisoformat(value)
    return Decimal(value) if pa.types.is_decimal(kind) and value is not None else value
