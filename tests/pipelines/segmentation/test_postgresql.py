"""The same load into a real PostgreSQL: only its address differs."""

import pandas as pd
import pytest
import sqlalchemy as sa

TABLES = ("clientes_segmentados", "clientes_segmentados_historia")


@pytest.fixture
def server(postgresql):
    """The test's server, which keeps none of our tables behind us."""
    address = sa.make_url(postgresql).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    yield engine
    with engine.begin() as con:
        for table in TABLES:
            con.execute(sa.text(f"DROP TABLE IF EXISTS {table}"))


def rows_with_their_versions(server, table):
    """Every row, and the transaction that wrote it: what was written anew has another one."""
    query = sa.text(f"SELECT xmin::text AS written, * FROM {table} ORDER BY dni")  # noqa: S608
    with server.connect() as con:
        return pd.read_sql_query(query, con)


def test_both_tables_are_loaded_and_a_rerun_changes_no_row(data, run, postgresql, server):
    conf = {"test/globals.yml": {"database": postgresql}}
    export = run("scoring", conf=conf).load("customer_segments.export_csv")
    loaded = [rows_with_their_versions(server, table) for table in TABLES]
    for rows in loaded:
        as_exported = rows.drop(columns="written").astype({"fecha_modelo": "str"})
        pd.testing.assert_frame_equal(as_exported, export)
    run("scoring", conf=conf)
    for table, before in zip(TABLES, loaded, strict=True):
        pd.testing.assert_frame_equal(rows_with_their_versions(server, table), before)


def test_the_variable_alone_leads_there_and_no_embedded_file_is_touched(
    data, run, postgresql, server, monkeypatch
):
    monkeypatch.setenv("CLIENTELA_DATABASE", postgresql)
    embedded = data / "07_model_output/clientes_segmentados.sqlite"
    embedded.unlink()
    run("scoring")
    assert sorted(sa.inspect(server).get_table_names()) == sorted(TABLES)
    assert not embedded.exists()
