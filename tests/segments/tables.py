"""Small tables of purchases in several rubros, drawn and computed on one engine."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend
from tests.features.tables import arrow_of

from clientela.features.segment_columns import REST, ColumnLayout, Rubro

TRANSACTIONS = ibis.schema(
    {
        "id_cliente": "string",
        "fecha": "timestamp",
        "rubro": "string",
        "categoria": "string",
        "valor_transaccion": "decimal(18, 2)",
        "canal": "string",
        "tienda": "int64",
    }
)
CUSTOMERS = ibis.schema(
    {
        "id_cliente": "string",
        "fecha_nacimiento": "date",
        "genero": "string",
        "estrato_social": "int64",
    }
)
FECHA_MODELO = date(2024, 2, 29)
CATEGORICALS = {"canal": {"APP": "app", "App": "app", "TIENDA": "tienda"}, "tienda": {"7": "7"}}


class Tx(NamedTuple):
    """One transaction, with the fields that rarely matter last."""

    id_cliente: str
    fecha: datetime
    rubro: str = "farmacia"
    valor_transaccion: Decimal = Decimal(1)
    canal: str | None = None
    tienda: int | None = None
    categoria: str = "FARMACIA"


class Person(NamedTuple):
    """One customer."""

    id_cliente: str
    fecha_nacimiento: date | None = None
    genero: str | None = None
    estrato_social: int | None = None


class Data(NamedTuple):
    """Transactions with their customers, some of them unknown."""

    transactions: list[Tx]
    people: list[Person]


def rubro(slug: str, *others: str) -> Rubro:
    return Rubro(slug=slug, label=slug.capitalize(), members=(slug, *others))


LAYOUT = ColumnLayout(
    fecha_modelo=FECHA_MODELO,
    rubros=(
        rubro("farmacia"),
        rubro("ropa", "moda"),
        Rubro(slug=REST, label="Otros", members=("cine",)),
    ),
    categoricals=CATEGORICALS,
)
UNPOOLED = ColumnLayout(fecha_modelo=FECHA_MODELO, rubros=(rubro("ropa"), rubro("farmacia")))

days = st.sampled_from([0, 1, 2, 29, 30, 59, 60, 364, 365, 366, 400]).map(
    lambda ago: FECHA_MODELO - timedelta(days=ago)
)
later_days = st.integers(1, 400).map(lambda ahead: FECHA_MODELO + timedelta(days=ahead))
hours = st.sampled_from([time(0), time(12, 30), time(23, 59, 59)])
amounts = st.sampled_from(["-20.00", "-0.50", "0.00", "0.10", "7.35", "7.35", "20.00", "90.00"])
BIRTHS = [date(1980, 2, 29), date(1999, 3, 1), date(2025, 1, 1), None]


def transactions(
    names: st.SearchStrategy[str], dates: st.SearchStrategy[date]
) -> st.SearchStrategy[Tx]:
    return st.builds(
        Tx,
        names,
        st.builds(datetime.combine, dates, hours),
        st.sampled_from(["farmacia", "ropa", "moda", "cine", "nuevo"]),
        amounts.map(Decimal),
        st.sampled_from(["APP", "App", "TIENDA", "WEB", None]),
        st.sampled_from([7, 8, None]),
    )


@st.composite
def data(draw: st.DrawFn, customers: int = 5, rows: int = 25) -> Data:
    names = [f"c{i}" for i in range(customers)]
    known = draw(st.lists(st.sampled_from(names), unique=True))
    attributes = st.tuples(
        st.sampled_from(BIRTHS), st.sampled_from(["F", "M", None]), st.none() | st.integers(1, 6)
    )
    return Data(
        draw(st.lists(transactions(st.sampled_from(names), days), max_size=rows)),
        [Person(name, *draw(attributes)) for name in known],
    )


class Shop:
    """DuckDB with two tables; SQL of equal expressions is compiled once."""

    transactions = ibis.table(TRANSACTIONS, name="transactions")
    customers = ibis.table(CUSTOMERS, name="customers")

    def __init__(self) -> None:
        self.backend: Backend = ibis.duckdb.connect(threads=1)
        self._sql = cache(lambda node: str(self.backend.compile(node.to_expr())))

    def rows(self, expression: ir.Table, data: Data) -> list[dict[str, Any]]:
        """The rows of an expression over `transactions` and `customers` of this class."""
        con: duckdb.DuckDBPyConnection = self.backend.con
        con.register("transactions", arrow_of(_dicts(data.transactions), TRANSACTIONS))
        con.register("customers", arrow_of(_dicts(data.people), CUSTOMERS))
        found: list[dict[str, Any]] = (
            con.sql(self._sql(expression.op())).to_arrow_table().to_pylist()
        )
        return found

    def frame(self, expression: ir.Table, data: Data, key: list[str]) -> pd.DataFrame:
        """The same rows as a frame, in order of a key."""
        found = pd.DataFrame(self.rows(expression, data), columns=list(expression.columns))
        return found.sort_values(key, ignore_index=True)

    def by_customer(self, expression: ir.Table, data: Data) -> dict[str, dict[str, Any]]:
        """The same rows by `id_cliente`, which has to be unique and is taken off each."""
        rows = self.rows(expression, data)
        found = {row.pop("id_cliente"): row for row in rows}
        assert len(found) == len(rows)
        return found


def _dicts(rows: Iterable[Tx] | Iterable[Person]) -> list[dict[str, Any]]:
    return [row._asdict() for row in rows]
