import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError

from clientela.datasets import sql_table as sql_table_module
from clientela.datasets.sql_table import SqlTableDataset
from clientela.exceptions import ConfigurationError

SEGMENTS = pd.DataFrame(
    {
        "dni": ["00012", "07045", "70457247"],
        "cluster_id": [-1, 0, 1],
        "rubro_top": pd.array([None, "Farmacia", "Ñandú"], "str"),
        "score_farmacia": [0.0, 0.85, 0.1 + 0.2],
        "fecha_modelo": "2024-06-30",
    }
)


def embedded(place, **fields):
    entry = {"table": "clientes", "key": ["dni"], "dates": ["fecha_modelo"], **fields}
    return SqlTableDataset(filepath=str(place), **entry)


def test_a_table_comes_back_as_it_was_saved_leading_zeros_included(segments):
    segments().save(SEGMENTS[::-1])
    pd.testing.assert_frame_equal(segments().load(), SEGMENTS)


def test_a_large_table_comes_back_in_the_order_of_its_key(segments, monkeypatch):
    monkeypatch.setattr(sql_table_module, "ROWS_PER_CHUNK", 7)
    many = pd.DataFrame(
        {"dni": [f"{i * 7919 % 100:03d}" for i in range(100)], "visitas": range(100)}
    )
    segments(dates=[]).save(many)
    pd.testing.assert_frame_equal(segments().load(), many.sort_values("dni", ignore_index=True))


def test_missing_values_come_back_missing(segments):
    holes = SEGMENTS[["dni"]].assign(
        edad=[np.nan, 31.5, np.nan],
        estrato=pd.array([None, 3, 2**40], "Int64"),
        activo=pd.array([None, True, False], "boolean"),
        genero=pd.array([None, None, None], "str"),
        nacimiento=pd.array([None, "1990-02-28", None], "str"),
    )
    segments(dates=["nacimiento"]).save(holes)
    pd.testing.assert_frame_equal(segments().load(), holes)


def test_a_table_that_somebody_emptied_comes_back_empty(segments, ask):
    segments().save(SEGMENTS)
    ask("DELETE FROM clientes")
    assert segments().load().empty
    assert list(segments().load()) == list(SEGMENTS)


def test_a_table_that_is_not_there_names_the_place(segments):
    assert not segments().exists()
    with pytest.raises(DatasetError, match=r"No table clientes \(.+\)\. Run the stage that loads"):
        segments().load()


def test_to_look_for_a_table_makes_no_file(tmp_path):
    dataset = embedded(tmp_path / "salida" / "clientes.sqlite")
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="No table clientes"):
        dataset.load()
    assert list(tmp_path.iterdir()) == []
    dataset.save(SEGMENTS)
    assert dataset.exists()


def test_two_tables_share_the_embedded_file(tmp_path):
    path = tmp_path / "clientes.sqlite"
    embedded(path).save(SEGMENTS)
    embedded(path, table="historia", key=["dni", "fecha_modelo"]).save(SEGMENTS[:2])
    assert len(embedded(path).load()) == 3
    assert len(embedded(path, table="historia").load()) == 2


def test_on_an_object_store_without_a_database_nothing_is_loaded_and_that_is_said(caplog):
    dataset = embedded("s3://una-tienda/outputs/clientes.sqlite")
    with caplog.at_level("INFO", logger="clientela"):
        dataset.save(SEGMENTS)
    assert caplog.messages == ["Table clientes: no database is configured; its rows are not loaded"]
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"No table clientes \(no database is configured\)"):
        dataset.load()


def test_rows_that_can_not_be_loaded_are_refused_before_there_is_a_file(tmp_path):
    dataset = embedded(tmp_path / "salida" / "clientes.sqlite")
    with pytest.raises(DatasetError, match=r"3 of 6 rows repeat the key dni"):
        dataset.save(pd.concat([SEGMENTS, SEGMENTS]))
    assert list(tmp_path.iterdir()) == []


def test_a_key_needs_a_column(tmp_path):
    with pytest.raises(ConfigurationError, match=r"Table clientes: `key` names no column"):
        embedded(tmp_path / "clientes.sqlite", key=[])


def test_the_catalog_makes_it_and_shows_its_place_without_password(tmp_path):
    url = "postgresql://clientela:secreta@127.0.0.1:1/crm"
    metadata = {"kedro-viz": {"layer": "model_output"}}
    entry = {
        "type": "clientela.datasets.sql_table.SqlTableDataset",
        "filepath": str(tmp_path / "clientes.sqlite"),
        "table": "clientes",
        "key": ["dni"],
        "dates": ["fecha_modelo"],
        "metadata": metadata,
    }
    catalog = DataCatalog.from_config({"here": entry, "there": {**entry, "url": url}})
    assert not catalog.exists("here")
    catalog.save("here", SEGMENTS)
    assert catalog.exists("here")
    assert catalog["here"].metadata == metadata
    assert catalog["here"]._describe()["path"] == entry["filepath"]
    assert catalog["there"]._describe()["path"] == (
        "postgresql+psycopg://clientela:***@127.0.0.1:1/crm"
    )
    with pytest.raises(DatasetError, match="no connection to") as raised:
        catalog.save("there", SEGMENTS)
    assert "secreta" not in str(raised.value)
