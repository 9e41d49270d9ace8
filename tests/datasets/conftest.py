from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from clientela.datasets.sql_table import SqlTableDataset


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of each kind that tables are loaded into."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/backend.sqlite"
    server = request.getfixturevalue("postgresql")
    schema = f"s{uuid4().hex}"
    engine = sa.create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as con:
        con.execute(sa.schema.CreateSchema(schema))
    engine.dispose()
    return f"{server}&options=-csearch_path%3D{schema}"


@pytest.fixture
def ask(database: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs SQL as somebody else would: `ask("SELECT …")` gives the rows."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        url = database.replace("postgresql:", "postgresql+psycopg:")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as con:
            done = con.exec_driver_sql(statement)
            return [tuple(row) for row in done] if done.returns_rows else []

    return run


@pytest.fixture
def segments(database: str, tmp_path: Path) -> Callable[..., SqlTableDataset]:
    """Makes the dataset of a table in the database: `segments(key=[...])`."""

    def make(**fields: Any) -> SqlTableDataset:
        entry = {"table": "clientes", "key": ["dni"], "dates": ["fecha_modelo"], **fields}
        return SqlTableDataset(url=database, filepath=str(tmp_path / "unused.sqlite"), **entry)

    return make
