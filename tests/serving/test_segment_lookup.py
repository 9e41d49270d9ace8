"""Segments of customers, from both databases that the segmentation stage loads."""

from uuid import uuid4

import pandas as pd
import pytest
import sqlalchemy as sa
from tests.serving.running import running

from clientela.datasets.sql_table import SqlTableDataset

SEGMENTS = pd.DataFrame(
    {
        "dni": ["00012", "07045", "70457247"],
        "cluster_id": [-1, 0, 1],
        "cluster_nombre": ["Sin actividad", "Supermercado", "Farmacia"],
        "rubro_top": pd.array([None, "Ñandú", "Farmacia"], "str"),
        "score_supermercado": [0.0, 0.9, 0.22],
        "score_farmacia": [0.0, 0.1, 0.85],
        "fecha_modelo": "2024-08-07",
    }
)


def database_of(kind, request, folder):
    """URL of a database with the current table."""
    if kind == "sqlite":
        url = f"sqlite:///{folder}/segmentos %23 ñ.sqlite"
    else:
        server, schema = request.getfixturevalue("postgresql"), f"s{uuid4().hex}"
        engine = sa.create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as con:
            con.execute(sa.schema.CreateSchema(schema))
        engine.dispose()
        url = f"{server}&options=-csearch_path%3D{schema}"
    stored(url).save(SEGMENTS)
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def api(request, served, tmp_path_factory):
    """A server whose table nobody changes."""
    url = database_of(request.param, request, tmp_path_factory.mktemp("database"))
    with running(served=str(served), database=url) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    return database_of(request.param, request, tmp_path)


def stored(url):
    return SqlTableDataset(
        url=url,
        filepath="unused.sqlite",
        table="clientes_segmentados",
        key=["dni"],
        newest_by="fecha_modelo",
        dates=["fecha_modelo"],
        own_prefixes=["score_"],
    )


def test_a_customer_has_the_record_that_an_apps_backend_reads(api):
    reply = api.client.get("/segments/70457247")
    assert reply.status_code == 200
    assert list(reply.json().items()) == [
        ("dni", "70457247"),
        ("cluster_id", 1),
        ("cluster_nombre", "Farmacia"),
        ("rubro_top", "Farmacia"),
        ("score_supermercado", 0.22),
        ("score_farmacia", 0.85),
        ("fecha_modelo", "2024-08-07"),
    ]


def test_leading_zeros_are_part_of_the_key(api):
    assert api.client.get("/segments/00012").json()["rubro_top"] is None
    assert api.client.get("/segments/12").status_code == 404


@pytest.mark.parametrize("dni", ["99999999", "' OR 1=1 --", "%25", "70457247%20", "Ñ", "x" * 64])
def test_who_is_not_stored_is_not_found_and_not_repeated(api, dni):
    reply = api.client.get(f"/segments/{dni}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "no_customer")
    assert dni not in reply.text


@pytest.mark.parametrize("dni", ["x" * 65, "a%00b", "%0a"])
def test_what_can_be_no_key_is_refused(api, dni):
    reply = api.client.get(f"/segments/{dni}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "wrong_path")


def test_a_newer_load_is_seen_at_once_and_only_columns_of_the_export_leave(served, database):
    with running(served=str(served), database=database) as server:
        assert server.client.get("/segments/70457247").json()["cluster_id"] == 1
        new = SEGMENTS.assign(fecha_modelo="2024-09-07", score_hogar=0.5, cluster_id=2)
        added = new.drop(columns="score_farmacia").assign(correo="ana@correo.pe")
        stored(database).save(added)
        record = server.client.get("/segments/70457247").json()
    assert record.keys() >= {"score_supermercado", "score_hogar", "fecha_modelo"}
    assert record.get("score_farmacia") is None
    assert "correo" not in record
    assert (record["cluster_id"], record["fecha_modelo"]) == (2, "2024-09-07")


def test_without_a_table_the_answer_is_try_again(served, tmp_path):
    with running(served=str(served), segments_file=str(tmp_path / "none.sqlite")) as server:
        reply = server.client.get("/segments/70457247")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "no_segments")
    assert reply.headers["retry-after"] == "5"
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_file_is_read_where_no_database_is_named(served, tmp_path):
    path = tmp_path / "clientes_segmentados.sqlite"
    stored(f"sqlite:///{path}").save(SEGMENTS)
    with running(served=str(served), segments_file=str(path)) as server:
        assert server.client.get("/segments/07045").json()["rubro_top"] == "Ñandú"


def test_without_a_database_there_is_no_such_route(served):
    with running(served=str(served)) as server:
        assert server.client.get("/segments/07045").status_code == 404
        assert "/segments/{dni}" not in server.client.get("/openapi.json").json()["paths"]
