"""Small tables of transactions and customers, drawn and computed on one engine."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

TRANSACTIONS = ibis.schema(
    {
        "id_transaccion": "string",
        "id_cliente": "string",
        "fecha": "timestamp",
        "rubro": "string",
        "valor_transaccion": "decimal(18, 2)",
        "puntos": "int64",
        "tipo_transaccion": "string",
    }
)
CUSTOMERS = ibis.schema(
    {
        "id_cliente": "string",
        "fecha_nacimiento": "date",
        "estrato_social": "int64",
        "saldo_puntos": "int64",
    }
)
EDGES = [date(2022 + m // 12, m % 12 + 1, 1) - timedelta(days=1) for m in range(10, 36)]
BIRTHS = [date(1980, 2, 29), date(1992, 2, 28), date(1999, 3, 1), date(1961, 12, 31), None]


class Tx(NamedTuple):
    """One transaction, with the fields that rarely matter last."""

    id_cliente: str
    fecha: datetime
    rubro: str = "tecnologia"
    valor_transaccion: Decimal = Decimal(1)
    puntos: int | None = 0
    tipo_transaccion: str | None = "COMPRA"


class Person(NamedTuple):
    """One customer."""

    id_cliente: str
    fecha_nacimiento: date | None = None
    estrato_social: int | None = None
    saldo_puntos: int | None = None


class Retailer(NamedTuple):
    """Transactions with their customers, some of them unknown."""

    transactions: list[Tx]
    people: list[Person]

    def by_customer(self) -> dict[str, list[Tx]]:
        found = defaultdict(list)
        for row in self.transactions:
            found[row.id_cliente].append(row)
        return dict(found)

    def person(self, id_cliente: str) -> Person | None:
        return next((p for p in self.people if p.id_cliente == id_cliente), None)


def at(iso: str) -> datetime:
    """Local time without a zone, as the tables have it."""
    return datetime.fromisoformat(iso)


moments = st.builds(
    lambda edge, days, hour: datetime.combine(edge + timedelta(days=days), hour),
    st.sampled_from(EDGES),
    st.sampled_from([0, 1, -1, -14]),
    st.sampled_from([time(0), time(23, 59, 59), time(12, 30)]),
)
amounts = st.integers(-200_00, 900_00).map(lambda cents: Decimal(cents) / 100)


def transactions_of(id_cliente: str) -> st.SearchStrategy[Tx]:
    return st.builds(
        Tx,
        st.just(id_cliente),
        moments,
        st.sampled_from(["tecnologia", "ropa", "hogar"]),
        amounts,
        st.none() | st.integers(-50, 80),
        st.sampled_from(["COMPRA", "DEVOLUCION", "CANJE", None]),
    )


@st.composite
def retailers(draw: st.DrawFn, customers: int = 4, rows: int = 12) -> Retailer:
    names = [f"c{i}" for i in range(draw(st.integers(1, customers)))]
    people = st.tuples(
        st.sampled_from(BIRTHS), st.none() | st.integers(1, 6), st.none() | st.integers(-50, 500)
    )
    return Retailer(
        [tx for name in names for tx in draw(st.lists(transactions_of(name), max_size=rows))],
        [Person(name, *draw(people)) for name in names if draw(st.integers(0, 4))],
    )


def arrow_of(rows: Iterable[Mapping[str, Any]], schema: ibis.Schema) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.to_pyarrow())


def arrow_transactions(transactions: Iterable[Tx]) -> pa.Table:
    rows = ({"id_transaccion": f"t{i}", **tx._asdict()} for i, tx in enumerate(transactions))
    return arrow_of(rows, TRANSACTIONS)


def arrow_customers(people: Iterable[Person]) -> pa.Table:
    return arrow_of((p._asdict() for p in people), CUSTOMERS)


class Engine:
    """DuckDB with two tables; SQL of equal expressions is compiled once."""

    transactions = ibis.table(TRANSACTIONS, name="transactions")
    customers = ibis.table(CUSTOMERS, name="customers")

    def __init__(self) -> None:
        self.backend: Backend = ibis.duckdb.connect(threads=1)
        self._sql = cache(lambda node: str(self.backend.compile(node.to_expr())))

    def rows(
        self, expression: ir.Table, transactions: Iterable[Tx], people: Iterable[Person] = ()
    ) -> list[dict[str, Any]]:
        """The rows of an expression over `transactions` and `customers` of this class."""
        con: duckdb.DuckDBPyConnection = self.backend.con
        con.register("transactions", arrow_transactions(transactions))
        con.register("customers", arrow_customers(people))
        found: list[dict[str, Any]] = (
            con.sql(self._sql(expression.op())).to_arrow_table().to_pylist()
        )
        return found

    def by_customer(
        self, expression: ir.Table, transactions: Sequence[Tx], people: Sequence[Person] = ()
    ) -> dict[str, dict[str, Any]]:
        """The same rows by `id_cliente`, which has to be unique and is taken off each."""
        rows = self.rows(expression, transactions, people)
        found = {row.pop("id_cliente"): row for row in rows}
        assert len(found) == len(rows)
        return found
