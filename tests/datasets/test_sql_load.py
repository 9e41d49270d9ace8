"""Loads through the dataset, on every engine: what is written, what is replaced, what is left."""

import hashlib
import threading
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from clientela.datasets.database import open_transaction, resolve_database_url
from clientela.datasets.sql_table import SqlLoad, build_sql_rows, replace_rows
from clientela.exceptions import ConfigurationError

JUNE, JULY = "2024-06-30", "2024-07-07"
HISTORY = {"key": ["dni", "fecha_modelo"], "replaces": ["fecha_modelo"]}


def export(dnis=("00012", "07045", "70457247"), day=JUNE, **columns):
    count = len(dnis)
    return pd.DataFrame(
        {
            "dni": list(dnis),
            "cluster_id": np.arange(count) - 1,
            "cluster_nombre": ["Sin actividad", "Farmacia", "Niños y bebés"][:count],
            "rubro_top": [None, "Farmacia", "Ñandú"][:count],
            "score_farmacia": [0.0, 0.85, 0.1 + 0.2][:count],
            **columns,
            "fecha_modelo": day,
        }
    )


def columns_of(database, table="clientes"):
    engine = sa.create_engine(resolve_database_url(database, ""), poolclass=sa.NullPool)
    found = sa.inspect(engine)
    types = {column["name"]: str(column["type"]) for column in found.get_columns(table)}
    return types, found.get_pk_constraint(table)["constrained_columns"]


def versions(ask, database):
    """What changes when a row is written again, though its values stay."""
    if database.startswith("sqlite"):
        return hashlib.sha256(Path(database.removeprefix("sqlite:///")).read_bytes()).hexdigest()
    return ask("SELECT xmin::text, ctid::text FROM clientes ORDER BY dni")


def test_the_table_has_a_type_for_each_column_and_the_key(segments, database):
    extra = {"visitas": [2**40, 1, 0], "activo": [True, False, True]}
    segments().save(export(**extra))
    # as SQLAlchemy reads DOUBLE PRECISION back from SQLite
    double = "REAL" if database.startswith("sqlite") else "DOUBLE PRECISION"
    assert columns_of(database) == (
        {
            "dni": "TEXT",
            "cluster_id": "INTEGER",
            "cluster_nombre": "TEXT",
            "rubro_top": "TEXT",
            "score_farmacia": double,
            "visitas": "BIGINT",
            "activo": "BOOLEAN",
            "fecha_modelo": "DATE",
        },
        ["dni"],
    )


def test_rows_come_back_as_they_were_given_in_the_order_of_their_key(segments):
    segments().save(export()[::-1])
    pd.testing.assert_frame_equal(segments().load(), export().astype({"rubro_top": "str"}))


def test_the_same_rows_again_in_any_order_write_nothing(segments, ask, database, caplog):
    segments().save(export())
    before = versions(ask, database)
    with caplog.at_level("INFO", logger="clientela"):
        segments().save(export()[::-1])
    assert versions(ask, database) == before
    assert "Table clientes: already holds these 3 rows" in caplog.text


def test_the_current_table_holds_the_customers_of_the_last_load_alone(segments):
    segments().save(export())
    segments().save(export(["07045", "99999"], day=JULY))
    assert list(segments().load()["dni"]) == ["07045", "99999"]


def test_a_history_replaces_its_own_date_and_keeps_the_others(segments):
    history = segments(**HISTORY)
    history.save(export())
    history.save(export(["00012", "99999"], day=JULY))
    history.save(export(["00012"], day=JULY, score_farmacia=[0.5]))
    stored = history.load()[["dni", "fecha_modelo", "score_farmacia"]]
    assert list(stored.itertuples(index=False, name=None)) == [
        ("00012", JUNE, 0.0),
        ("00012", JULY, 0.5),
        ("07045", JUNE, 0.85),
        ("70457247", JUNE, 0.1 + 0.2),
    ]


def test_rows_of_an_older_date_do_not_replace_a_newer_table(segments, ask, database, caplog):
    current = segments(newest_by="fecha_modelo")
    current.save(export(day=JULY))
    before = versions(ask, database)
    with caplog.at_level("INFO", logger="clientela"):
        current.save(export(["00012"], day=JUNE, score_ropa=[0.3]))
    assert versions(ask, database) == before
    assert f"left as it is: it holds fecha_modelo {JULY}, newer than these rows" in caplog.text
    current.save(export(["00012"], day="2024-07-14"))
    assert list(current.load()["fecha_modelo"]) == ["2024-07-14"]


def test_a_new_rubro_gets_a_column_and_one_that_is_gone_becomes_null(segments, ask, database):
    history = segments(**HISTORY, own_prefixes=["score_"])
    history.save(export(score_ropa=[0.1, 0.2, 0.3]))
    later = export(day=JULY, score_hogar=[0.4, 0.5, 0.6])
    history.save(later)
    found = ask("SELECT score_ropa, score_hogar FROM clientes ORDER BY fecha_modelo, dni")
    assert found == [(0.1, None), (0.2, None), (0.3, None), (None, 0.4), (None, 0.5), (None, 0.6)]
    before = versions(ask, database)
    history.save(later)
    assert versions(ask, database) == before


def test_what_is_left_of_a_rubro_in_the_same_rows_is_taken_away(segments, ask):
    own = segments(own_prefixes=["score_"])
    own.save(export(score_ropa=[0.1, 0.2, 0.3]))
    own.save(export())
    assert ask("SELECT DISTINCT score_ropa FROM clientes") == [(None,)]


def test_columns_of_others_keep_their_values_and_new_rows_their_defaults(segments, ask, database):
    segments().save(export())
    ask("ALTER TABLE clientes ADD COLUMN origen TEXT DEFAULT 'clientela'")
    ask("ALTER TABLE clientes ADD COLUMN nota TEXT")
    ask("UPDATE clientes SET nota = 'vip', origen = 'caja'")
    before = versions(ask, database)
    segments().save(export())
    assert versions(ask, database) == before
    segments().save(export(["00012", "07045", "99999"], day=JULY))
    assert ask("SELECT dni, nota, origen, fecha_modelo FROM clientes ORDER BY dni") == [
        (dni, nota, origen, JULY if database.startswith("sqlite") else date(2024, 7, 7))
        for dni, nota, origen in [
            ("00012", "vip", "caja"),
            ("07045", "vip", "caja"),
            ("99999", None, "clientela"),
        ]
    ]


def test_of_many_rows_only_those_that_changed_are_written_and_what_hangs_on_them_stays(
    segments, ask, database, caplog
):
    if database.startswith("sqlite"):
        pytest.skip("SQLite keeps no versions of rows, and checks no foreign keys unless told to")
    dnis = [f"{number:05d}" for number in range(1000)]
    rows = pd.DataFrame({"dni": dnis, "cluster_id": 0, "fecha_modelo": JUNE})
    segments().save(rows)
    for table, action in (("notas", "ON DELETE CASCADE"), ("pedidos", "")):
        ask(f"CREATE TABLE {table} (dni TEXT REFERENCES clientes (dni) {action})")
        ask(f"INSERT INTO {table} SELECT dni FROM clientes WHERE dni < '00500'")  # noqa: S608
    before = dict(ask("SELECT dni, xmin::text FROM clientes"))
    changed = rows.assign(cluster_id=rows["dni"].str.endswith("07").astype(int))
    with caplog.at_level("INFO", logger="clientela"):
        segments().save(changed)
    assert "10 changed, 0 new, 0 removed" in caplog.text
    after = dict(ask("SELECT dni, xmin::text FROM clientes"))
    assert {dni for dni in dnis if after[dni] != before[dni]} == {
        f"{n:03d}07"[-5:] for n in range(10)
    }
    assert ask("SELECT count(*) FROM notas") == ask("SELECT count(*) FROM pedidos") == [(500,)]
    # one that left and that an order refers to: the load goes on, and says so
    segments().save(changed[1:])
    assert "departed: mark" in caplog.text
    assert ask("SELECT count(*) FROM clientes") == [(1000,)]


def test_a_customer_who_left_is_marked_where_the_catalog_says_so(segments, ask):
    marking = segments(departed="mark")
    marking.save(export())
    marking.save(export(["00012", "99999"], day=JULY))
    found = ask("SELECT dni FROM clientes WHERE vigente ORDER BY dni")
    assert found == [("00012",), ("99999",)]
    assert ask("SELECT count(*) FROM clientes") == [(4,)]
    marking.save(export(day="2024-07-14"))
    assert ask("SELECT dni FROM clientes WHERE NOT vigente") == [("99999",)]
    with pytest.raises(ConfigurationError, match="remove or mark"):
        segments(departed="forget")


def test_a_load_that_fails_leaves_table_and_columns_as_they_were(segments, ask):
    ask(
        "CREATE TABLE clientes (dni TEXT PRIMARY KEY, score_farmacia DOUBLE PRECISION "
        "CONSTRAINT en_rango CHECK (score_farmacia <= 1))"
    )
    rows = export()[["dni", "score_farmacia"]]
    segments(dates=[]).save(rows)
    wrong = rows.assign(score_farmacia=[0.1, 0.2, 71.5], score_nuevo=1.0)
    with pytest.raises(
        DatasetError, match=r"the database refused: \w+\. This table was not"
    ) as raised:
        segments(dates=[]).save(wrong)
    assert "71.5" not in str(raised.value)
    assert "70457247" not in str(raised.value)
    assert raised.value.__cause__.__suppress_context__
    pd.testing.assert_frame_equal(segments(dates=[]).load(), rows)


def test_a_first_load_that_fails_leaves_no_table(segments, monkeypatch):
    def broken(*_):
        raise RuntimeError("halfway")

    monkeypatch.setattr("clientela.datasets.sql_table._write_differences", broken)
    with pytest.raises(DatasetError, match="halfway"):
        segments().save(export())
    assert not segments().exists()


def test_rows_outside_of_what_is_replaced_that_hold_the_same_key_are_not_overwritten(segments):
    segments().save(export())
    with pytest.raises(DatasetError, match="the database refused: "):
        segments(replaces=["fecha_modelo"]).save(export(["00012"], day=JULY))
    assert list(segments().load()["fecha_modelo"]) == [JUNE] * 3


def test_rows_can_be_replaced_one_by_one(segments):
    segments().save(export())
    one = segments(replaces=["dni"])
    one.save(export(["07045", "99999"], day=JULY))
    found = one.load()[["dni", "fecha_modelo"]].itertuples(index=False, name=None)
    assert list(found) == [("00012", JUNE), ("07045", JULY), ("70457247", JUNE), ("99999", JULY)]


def test_a_table_with_another_key_is_refused(segments):
    segments().save(export())
    with pytest.raises(DatasetError, match=r"primary key dni; expected dni, fecha_modelo. Rename"):
        segments(**HISTORY).save(export())


def test_a_column_of_another_type_is_refused_before_anything_is_written(segments, ask):
    ask("CREATE TABLE clientes (dni INTEGER PRIMARY KEY, cluster_id TEXT)")
    words = r"dni is INTEGER, expected TEXT; cluster_id is TEXT, expected INTEGER. Change"
    with pytest.raises(DatasetError, match=words):
        segments().save(export())
    assert list(segments().load().columns) == ["dni", "cluster_id"]


def test_a_table_of_coarser_types_takes_the_rows_and_is_found_equal(segments, ask, database):
    ask(
        "CREATE TABLE clientes (dni VARCHAR(12) PRIMARY KEY, cluster_id NUMERIC(6, 0), "
        "cluster_nombre TEXT, rubro_top TEXT, score_farmacia NUMERIC(4, 2), fecha_modelo DATE)"
    )
    segments().save(export())
    before = versions(ask, database)
    segments().save(export())
    assert versions(ask, database) == before


ODD = 'x"; DROP TABLE clientes; --'


def test_any_name_is_a_name_and_nothing_else(segments):
    segments().save(export())
    for name in (ODD, "50% (a):b", "select", "ñandú", "a'b", "?", "%s"):
        odd = export().rename(columns={"score_farmacia": name})
        for _ in range(2):
            segments(table=name, key=["dni", name]).save(odd)
        segments(table=name, key=["dni", name]).save(odd.assign(**{name + "2": 1}))
        assert name + "2" in segments(table=name).load()
    assert len(segments().load()) == 3


def test_readers_see_the_old_rows_until_the_new_ones_are_whole(segments, ask, database):
    if database.startswith("sqlite"):
        pytest.skip("SQLite lets nobody read while a load is committed: readers wait")
    segments().save(export())
    rows = build_sql_rows(
        export(["99999"], day=JULY), ["dni"], ["fecha_modelo"], ["dni"], "clientes"
    )
    with open_transaction(resolve_database_url(database, ""), "clientes", writes=True) as con:
        replace_rows(con, SqlLoad("clientes", ["dni"]), rows)
        assert ask("SELECT count(*) FROM clientes") == [(3,)]
    assert ask("SELECT dni FROM clientes") == [("99999",)]


def test_loads_that_come_by_the_same_connection_do_not_meet(database):
    rows = build_sql_rows(export(), ["dni"], ["fecha_modelo"], ["dni"], "clientes")
    with open_transaction(resolve_database_url(database, ""), "clientes", writes=True) as con:
        said = [replace_rows(con, SqlLoad("clientes", ["dni"]), rows) for _ in range(3)]
    assert said[0].startswith("3 rows loaded")
    assert said[1:] == ["already holds these 3 rows"] * 2


def test_two_first_loads_at_once_both_succeed(segments):
    loads = [threading.Thread(target=segments().save, args=(export(),)) for _ in range(2)]
    for load in loads:
        load.start()
    for load in loads:
        load.join()
    assert len(segments().load()) == 3


def test_two_databases_that_were_loaded_alike_have_the_same_bytes(tmp_path, segments, database):
    if not database.startswith("sqlite"):
        pytest.skip("files of PostgreSQL hold its transaction numbers")
    path = Path(database.removeprefix("sqlite:///"))
    contents = []
    for order in (1, -1):
        path.unlink(missing_ok=True)
        for day in (JUNE, JULY):
            segments(newest_by="fecha_modelo").save(export(day=day)[::order])
            segments(table="historia", **HISTORY).save(export(day=day)[::order])
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
LOADS = st.lists(
    st.tuples(
        st.sampled_from(["2024-06-30", "2024-07-07", "2024-07-14"]),
        st.dictionaries(
            TEXT,
            st.tuples(
                st.one_of(st.none(), TEXT),
                st.floats(allow_nan=False, allow_infinity=False),
                st.integers(-(2**31) + 1, 2**31 - 1),
            ),
            min_size=1,
            max_size=4,
        ),
    ),
    min_size=1,
    max_size=4,
)


@given(loads=LOADS)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_after_any_loads_a_history_holds_the_last_of_each_date(segments, ask, loads):
    ask("DROP TABLE IF EXISTS clientes")
    history, expected = segments(**HISTORY), {}
    for day, customers in loads:
        expected[day] = customers
        rows = [(dni, *values, day) for dni, values in customers.items()]
        names = ["dni", "rubro_top", "score_farmacia", "cluster_id", "fecha_modelo"]
        history.save(pd.DataFrame(rows, columns=names).astype({"rubro_top": "str"}))
    found = {}
    for dni, top, score, cluster, day in history.load().itertuples(index=False, name=None):
        found.setdefault(day, {})[dni] = (None if pd.isna(top) else top, score, cluster)
    assert found == expected
