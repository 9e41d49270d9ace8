import sys
import traceback

import pytest
import sqlalchemy as sa

from clientela.datasets import database as database_module
from clientela.datasets.database import (
    format_url_without_secrets,
    has_database,
    open_transaction,
    resolve_database_url,
)
from clientela.datasets.sql_table import find_table
from clientela.exceptions import ConfigurationError, DatabaseConnectionError, DatabaseOperationError

PASSWORD = "muy secreta"  # noqa: S105 - nobody's
DNI = "70457247"
NOBODY_LISTENS = "postgresql://clientela:muy%20secreta@127.0.0.1:1/crm"


def everything_said(error):
    """What a person sees of an error: its message and all that it was raised from."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("url", [None, ""])
@pytest.mark.parametrize("protocol", ["", "file://"])
def test_without_a_url_the_embedded_file_is_the_database(tmp_path, url, protocol):
    path = str(tmp_path / "clientes.sqlite")
    assert format_url_without_secrets(resolve_database_url(url, protocol + path)) == path


@pytest.mark.parametrize("place", ["s3://una-tienda/x.sqlite", "s3a://t/x", "abfs://t/x.sqlite"])
def test_an_object_store_holds_no_embedded_database(place):
    assert resolve_database_url(None, place) is None


def test_a_url_wins_over_the_file(tmp_path):
    url = resolve_database_url("postgresql://clientela@db/crm", str(tmp_path / "clientes.sqlite"))
    assert url.host == "db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_takes_the_same_driver(scheme):
    assert resolve_database_url(f"{scheme}://db/crm", "").drivername == "postgresql+psycopg"


def test_another_kind_of_database_is_refused():
    with pytest.raises(ConfigurationError, match=r"begins with 'mysql'; expected postgresql://"):
        resolve_database_url("mysql://db/crm", "")


@pytest.mark.parametrize(
    "url",
    [
        "db:5432/crm",
        f"postgresql://a:{PASSWORD}@db:puerto/crm",
        f"postgresql://a:p@{PASSWORD}@db:5432/crm",
        f"postgresql://a/b:p@{PASSWORD}/x@db/crm",
    ],
)
def test_a_url_that_can_not_be_read_is_not_repeated(url):
    with pytest.raises(ConfigurationError, match=r"postgresql://user:p") as raised:
        resolve_database_url(url, "")
    assert PASSWORD not in everything_said(raised.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://ana:secreta@db:5433/crm", "postgresql://db:5433/crm?user=ana&password=secreta"],
)
def test_an_address_is_shown_without_its_password(url):
    words = format_url_without_secrets(resolve_database_url(url, ""))
    assert "secreta" not in words
    assert words.startswith("postgresql+psycopg://")
    assert "db:5433/crm" in words


def test_to_look_for_an_embedded_table_makes_no_file(tmp_path):
    path = tmp_path / "clientes.sqlite"
    assert not has_database(resolve_database_url(None, str(path)))
    path.touch()
    assert has_database(resolve_database_url(None, str(path)))


def reached(url, table="clientes"):
    with open_transaction(resolve_database_url(url, ""), table, writes=True):
        pass


def test_a_server_that_does_not_answer_is_named_with_what_is_intact_and_how_to_go_on():
    words = (
        r"Table clientes: no connection to postgresql\+psycopg://clientela:\*\*\*@127.0.0.1:1/crm: "
        r".*refused.*\. This table was not changed, and the files that the run wrote stay "
        r"whole\. Check address, .* Then run kedro run --pipelines=scoring again"
    )
    with pytest.raises(DatabaseConnectionError, match=words) as raised:
        reached(NOBODY_LISTENS)
    assert PASSWORD not in everything_said(raised.value)


def test_a_wrong_password_is_no_connection(postgresql):
    with pytest.raises(DatabaseConnectionError, match="password authentication failed") as raised:
        reached(postgresql.replace("una%20clave", "muy%20secreta"))
    assert PASSWORD not in everything_said(raised.value)


def test_a_database_that_does_not_exist_is_no_connection(postgresql):
    with pytest.raises(DatabaseConnectionError, match='database "nadie" does not exist'):
        reached(postgresql.replace("/postgres?", "/nadie?"))


def test_a_folder_is_no_embedded_database(tmp_path):
    with pytest.raises(DatabaseConnectionError, match="unable to open database file"):
        reached(f"sqlite:///{tmp_path}")


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseConnectionError, match=r'pip install "clientela\[postgresql\]"'):
        reached(NOBODY_LISTENS)


def test_a_connection_that_is_not_answered_is_given_up_after_ten_seconds(monkeypatch):
    given = {}

    def create_engine(url, **arguments):
        given.update(arguments["connect_args"])
        raise ImportError

    monkeypatch.setattr(sa, "create_engine", create_engine)
    for url in (NOBODY_LISTENS, NOBODY_LISTENS + "?connect_timeout=3"):
        given.clear()
        with pytest.raises(DatabaseConnectionError):
            reached(url)
        assert given == ({} if "connect_timeout" in url else {"connect_timeout": 10})


def test_a_file_of_something_else_is_refused_and_kept(tmp_path):
    path = tmp_path / "clientes.sqlite"
    path.write_bytes(b"dni,cluster_id\n" * 100)
    with (
        pytest.raises(DatabaseOperationError, match="the database refused: file is not a database"),
        open_transaction(resolve_database_url(None, str(path)), "clientes", writes=True) as con,
    ):
        find_table(con, "clientes")
    assert path.read_bytes() == b"dni,cluster_id\n" * 100


READ_ONLY = {
    "sqlite": ("sqlite:///", "sqlite:///file:", "?mode=ro&uri=true"),
    "postgresql": ("-csearch_path", "-cdefault_transaction_read_only%3Don%20-csearch_path", ""),
}


def test_a_database_that_is_read_only_is_named(database):
    old, new, end = READ_ONLY[database.partition(":")[0]]
    reached(database)
    with (
        pytest.raises(DatabaseOperationError, match=r"the database refused: .*read-?only"),
        open_transaction(
            resolve_database_url(database.replace(old, new) + end, ""), "clientes", writes=True
        ) as con,
    ):
        con.exec_driver_sql("CREATE TABLE clientes (dni TEXT)")


def write_twice(url, dni):
    with open_transaction(resolve_database_url(url, ""), "clientes", writes=True) as con:
        con.exec_driver_sql("CREATE TABLE clientes (dni TEXT PRIMARY KEY)")
        for _ in range(2):
            con.execute(sa.text("INSERT INTO clientes VALUES (:dni)"), {"dni": dni})


def test_what_a_failed_statement_held_is_not_repeated_and_its_tables_are_taken_back(database, ask):
    with pytest.raises(DatabaseOperationError, match=r"the database refused: \w+\. ") as raised:
        write_twice(database, DNI)
    assert DNI not in everything_said(raised.value)
    ask("CREATE TABLE clientes (dni TEXT)")


def test_of_two_writers_of_a_table_one_waits_and_says_so_when_it_takes_too_long(
    database, monkeypatch
):
    monkeypatch.setattr(database_module, "LOCK_SECONDS", 0.1)
    words = r"the database refused: (canceling statement due to lock timeout|database is locked)"
    with (
        open_transaction(resolve_database_url(database, ""), "clientes", writes=True),
        pytest.raises(DatabaseOperationError, match=words),
    ):
        reached(database)
