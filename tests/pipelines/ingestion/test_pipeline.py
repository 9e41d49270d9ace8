import gzip
import io
import json
import unicodedata
from collections import Counter
from datetime import datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from clientela.column_rules import IntakeRules
from clientela.exceptions import (
    ConfigurationError,
    InvalidColumnsError,
    TooManyBadRowsError,
    TooManyBadValuesError,
)
from clientela.pipelines.ingestion.nodes import get_table_rules

HEADER = "id_transaccion,id_cliente,fecha,categoria,valor_transaccion,puntos,tipo_transaccion"
PEOPLE = "id_cliente,fecha_nacimiento,genero,estrato_social,saldo_puntos\n"


def sale(key, amount="10.50", **cells):
    sound = {
        "id_transaccion": key,
        "id_cliente": "C1",
        "fecha": "2024-02-29 10:00:00",
        "categoria": "TECNOLOGÍA",
        "valor_transaccion": amount,
        "puntos": "3",
        "tipo_transaccion": "ACUMULACION",
    }
    return ",".join((sound | cells).values())


def csv(*lines, header=HEADER):
    return "\n".join([header, *lines]) + "\n"


def test_every_row_is_accounted_for(ingest):
    done = ingest(
        {"tx.csv": csv(sale("T1"), sale("T2", "x"), sale("T1"))},
        PEOPLE + "C1,1990-01-31,F,3,100\n",
    )
    assert done.account == {
        "customers": {
            "read": 1,
            "accepted": 1,
            "quarantined": 0,
            "reasons": {},
            "unknown_references": {},
            "set_missing": {"fecha_nacimiento": 0, "estrato_social": 0, "saldo_puntos": 0},
        },
        "transactions": {
            "read": 3,
            "accepted": 1,
            "quarantined": 2,
            "reasons": {"duplicate_key": 1, "invalid_valor_transaccion": 1},
            "unknown_references": {"id_cliente": 0},
            "set_missing": {"puntos": 0},
        },
    }
    assert json.loads(json.dumps(done.account)) == done.account


def test_accepted_rows_are_typed(ingest):
    done = ingest({"tx.csv": csv(sale("T1"))}, PEOPLE + "C1,1990-01-31,F,3,100\n")
    assert done.transactions == [
        {
            "id_transaccion": "T1",
            "id_cliente": "C1",
            "fecha": datetime(2024, 2, 29, 10),  # noqa: DTZ001
            "categoria": "TECNOLOGÍA",
            "valor_transaccion": Decimal("10.50"),
            "puntos": 3,
            "tipo_transaccion": "ACUMULACION",
            "puntos_invalid": False,
            "rubro": "tecnologia",
        }
    ]
    (customer,) = done.customers
    assert (str(customer["fecha_nacimiento"]), customer["saldo_puntos"]) == ("1990-01-31", 100)


DIRT = [
    (sale(""), "missing_id_transaccion", None),
    (sale("T1", id_cliente=""), "missing_id_cliente", None),
    (sale("T1", fecha=""), "missing_fecha", None),
    (sale("T1", fecha="2024-02-30"), "invalid_fecha", "2024-02-30"),
    (sale("T1", fecha="2023-02-29"), "invalid_fecha", "2023-02-29"),
    (sale("T1", fecha="0024-02-29"), "invalid_fecha", "0024-02-29"),
    (sale("T1", fecha="24-02-29"), "invalid_fecha", "24-02-29"),
    (sale("T1", categoria=" "), "missing_categoria", None),
    (sale("T1", ""), "missing_valor_transaccion", None),
    (sale("T1", "diez"), "invalid_valor_transaccion", "diez"),
    (sale("T1", "10.555"), "invalid_valor_transaccion", "10.555"),
    (sale("T1") + ",sobra", "extra_columns", None),
    ("T1,C1,2024-02-29", "missing_columns", None),
    (sale("T1", categoria='"HOGAR'), "unbalanced_quotes", None),
    ("", "blank_line", None),
]


def test_dirty_rows_are_quarantined_with_place_reason_and_text(ingest):
    done = ingest({"tx.csv": csv(sale("T0"), *(line for line, _, _ in DIRT), sale("T9"))})
    assert done.quarantine == [
        {"_file": "tx.csv", "_line": place, "_reason": reason, "_value": blamed, "_raw": line}
        for place, (line, reason, blamed) in enumerate(DIRT, start=3)
    ]
    assert [row["id_transaccion"] for row in done.transactions] == ["T0", "T9"]


def test_bytes_of_another_encoding_are_quarantined(ingest):
    done = ingest(
        {"tx.csv": csv(sale("T1")).encode() + sale("T2").encode("latin-1")},
        text={"encoding": "utf-8"},
    )
    assert [(r["_reason"], r["_line"]) for r in done.quarantine] == [("invalid_encoding", 3)]


def test_no_row_of_technology_is_lost_in_a_latin_1_file(ingest):
    lines = [sale(f"T{i:03d}") for i in range(100)]
    done = ingest({"tx.csv": csv(*lines).encode("latin-1")})
    assert {row["rubro"] for row in done.transactions} == {"tecnologia"}
    assert len(done.transactions) == 100


def test_refunds_and_extra_columns_pass_untouched(ingest):
    line = sale("T1", "-25.00", fecha="29/02/2024") + ", Cali "
    done = ingest({"tx.csv": csv(line, header=HEADER + ",ciudad")}, date_formats=["%d/%m/%Y"])
    (row,) = done.transactions
    assert (row["valor_transaccion"], row["ciudad"]) == (Decimal("-25.00"), " Cali ")
    assert row["fecha"] == datetime(2024, 2, 29)  # noqa: DTZ001


def test_optional_columns_that_the_files_lack_are_missing_values(ingest):
    header = "id_transaccion,id_cliente,fecha,categoria,valor_transaccion"
    done = ingest({"tx.csv": csv("T1,C1,2024-01-01,HOGAR,5", header=header)})
    (row,) = done.transactions
    assert (row["puntos"], row["tipo_transaccion"]) == (None, None)


def test_an_unusable_attribute_keeps_the_row_and_raises_a_flag(ingest):
    done = ingest(
        {"tx.csv": csv(sale("T1", puntos="muchos"))},
        PEOPLE + "C1,1790-01-31,F,99,x\nC2,,,,\n",
    )
    assert [(r["puntos"], r["puntos_invalid"]) for r in done.transactions] == [(None, True)]
    flags = ["fecha_nacimiento_invalid", "estrato_social_invalid", "saldo_puntos_invalid"]
    assert [[row[flag] for flag in flags] for row in done.customers] == [[True] * 3, [False] * 3]


def test_a_column_that_can_not_be_read_stops_instead_of_being_emptied_in_silence(ingest):
    points = ["1.500", "muchos", "2", *["3"] * 7]
    files = {"tx.csv": csv(*(sale(f"T{i}", puntos=text) for i, text in enumerate(points)))}
    with pytest.raises(
        TooManyBadValuesError, match=r"transactions\.puntos: 2 of 10 values \(20\.0%; tol"
    ):
        ingest(files, max_bad_share=0.19)
    done = ingest(files, max_bad_share=0.2)
    assert done.account["transactions"]["set_missing"] == {"puntos": 2}


def test_amounts_of_a_comma_locale(ingest):
    lines = ['T1,C1,2024-01-01,HOGAR,"1.234,50",0,A', "T2,C1,2024-01-01,HOGAR,1.234,0,A"]
    comma = ingest({"tx.csv": csv(*lines)}, decimal=",", thousands=".")
    assert [row["valor_transaccion"] for row in comma.transactions] == [
        Decimal("1234.50"),
        Decimal("1234.00"),
    ]
    point = ingest({"tx.csv": csv(*lines)})
    assert [(r["_reason"], r["_value"]) for r in point.quarantine] == [
        ("invalid_valor_transaccion", "1.234,50"),
        ("invalid_valor_transaccion", "1.234"),
    ]


@pytest.mark.parametrize(("policy", "kept"), [("keep", ["T1", "T2"]), ("quarantine", ["T1"])])
def test_unknown_customers_are_kept_and_counted_or_quarantined(ingest, policy, kept):
    done = ingest(
        {"tx.csv": csv(sale("T1"), sale("T2", id_cliente="C7"))},
        PEOPLE + "C1,,,,\n",
        unknown_references=policy,
    )
    assert [row["id_transaccion"] for row in done.transactions] == kept
    account = done.account["transactions"]
    refused = {} if policy == "keep" else {"unknown_id_cliente": 1}
    assert account["reasons"] == refused
    assert account["unknown_references"] == {"id_cliente": 1 if policy == "keep" else 0}


def test_without_a_customers_file_every_transaction_is_kept(ingest):
    done = ingest({"tx.csv": csv(sale("T1"), sale("T2"))})
    assert len(done.transactions) == 2
    assert done.customers == []
    assert done.account["transactions"]["unknown_references"] == {"id_cliente": 2}


LINES = [sale(f"T{i % 7}", f"{i}.25", puntos=str(i)) for i in range(20)]


def test_files_their_order_and_that_of_rows_and_columns_change_nothing(ingest):
    whole = ingest({"tx.csv": csv(*LINES)})
    turned = [",".join(line.split(",")[::-1]) for line in LINES]
    backwards = ",".join(HEADER.split(",")[::-1])
    mixed = ingest(
        {
            "b.csv": csv(*turned[:9], header=backwards),
            "a.csv.gz": gzip.compress(csv(*LINES[:8:-1]).encode()),
        }
    )
    assert mixed.transactions == whole.transactions
    assert mixed.account["transactions"] == whole.account["transactions"]


def test_parquet_and_csv_of_the_same_rows_give_the_same_bytes(ingest, tmp_path):
    columns = zip(*(line.split(",") for line in LINES), strict=True)
    table = pa.table(dict(zip(HEADER.split(","), map(list, columns), strict=True)))
    typed = table.set_column(2, "fecha", table["fecha"].cast(pa.timestamp("us")))
    typed = typed.set_column(4, "valor_transaccion", typed[4].cast(pa.decimal128(18, 2)))
    ingest({"tx.csv": csv(*LINES)})
    for name, rows in {"text.parquet": table, "typed.parquet": typed}.items():
        pq.write_table(rows, tmp_path / name)
        ingest({name: (tmp_path / name).read_bytes()})
    from_csv, *others = (
        (tmp_path / f"run-{number}/transactions.parquet").read_bytes() for number in range(3)
    )
    assert others == [from_csv] * 2


def test_two_runs_write_equal_bytes(ingest, tmp_path):
    for _ in range(2):
        ingest({"tx.csv": csv(*LINES, sale("X", "roto"))}, PEOPLE + "C1,,,,\nC2,,,,\n")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / run).glob("**/*.parquet")}
        for run in ("run-0", "run-1")
    )
    assert len(first) > 6
    assert first == second


def test_too_many_bad_rows_stop_the_run_after_the_quarantine_is_stored(ingest):
    lines = [sale(f"T{i}", "x") for i in range(4)] + [sale(f"F{i}", fecha="?") for i in range(3)]
    lines += ["", "", sale("", "1"), *(sale(f"B{i}") for i in range(10))]
    kept = []
    with pytest.raises(TooManyBadRowsError) as caught:
        ingest({"tx.csv": csv(*lines)}, catalog_kept=kept, max_bad_share=0.4)
    assert (
        "10 of 20 rows of 'transactions' (50.0%) are unusable; tolerated: 40.0% "
        "(ingestion.max_bad_share). Commonest: 4 x invalid_valor_transaccion (e.g. tx.csv line 2, "
        "value 'x'); 3 x invalid_fecha (e.g. tx.csv line 6, value '?'); "
        "2 x blank_line (e.g. tx.csv line 9)."
    ) in str(caught.value)
    stored = kept[0].load("retail.quarantine_transactions").to_pyarrow().to_pylist()
    assert Counter(row["_reason"] for row in stored).total() == 10
    assert not kept[0].exists("transactions")


def test_a_wrong_header_names_the_nearest_column(ingest):
    with pytest.raises(
        InvalidColumnsError, match=r"lacks the column fecha\..*Did you mean 'fechas'\?"
    ):
        ingest({"tx.csv": csv(sale("T1"), header=HEADER.replace("fecha", "fechas"))})


def test_an_empty_file_stops_with_its_name(ingest):
    with pytest.raises(DatasetError, match=r"tx.csv is empty: a header line"):
        ingest({"tx.csv": ""})


def test_a_header_alone_is_an_empty_table(ingest):
    done = ingest({"tx.csv": HEADER + "\n"})
    assert done.transactions == []
    assert done.account["transactions"]["read"] == 0


BITS = ["\n", "\r\n", ",", '"', sale("T1"), sale("T2", "x"), "T1,C1", "\x00", "\x1f", " "]
GARBAGE = st.lists(st.sampled_from(BITS).map(str.encode) | st.binary(max_size=5), max_size=30).map(
    b"".join
)


@given(garbage=GARBAGE, people=GARBAGE)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accepted_and_quarantined_rows_add_up_for_arbitrary_garbage(ingest, garbage, people):
    readable = people.decode("latin-1")
    done = ingest({"tx.csv": HEADER.encode() + b"\n" + garbage}, PEOPLE + readable)
    lines = garbage.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    count = len(lines) - (lines[-1] == b"")
    account = done.account["transactions"]
    assert account["read"] == count == account["accepted"] + account["quarantined"]
    assert account["accepted"] == len(done.transactions)
    assert account["reasons"] == Counter(row["_reason"] for row in done.quarantine)
    assert len({row["id_transaccion"] for row in done.transactions}) == account["accepted"]


def test_a_table_without_rules_is_told_the_nearest(shipped_rules):
    rules = IntakeRules.model_validate(shipped_rules)
    with pytest.raises(ConfigurationError, match=r"'transaction'.*Did you mean 'transactions'"):
        get_table_rules(rules, "transaction")


USUAL = [
    sale(f"T{i}", fecha=f"{day:%Y-%m-%d %H:%M:%S}")
    for i, day in enumerate(pd.date_range("2023-01-01", periods=120, freq="4D"))
]


@pytest.mark.parametrize("day", ["2034-06-30", "1991-03-01", "2026-01-01"])
def test_a_date_far_from_all_others_is_named_and_quarantined(ingest, caplog, day):
    done = ingest({"tx.csv": csv(*USUAL, sale("TFAR", fecha=day))})
    assert [(r["_reason"], r["_value"], r["_line"]) for r in done.quarantine] == [
        ("isolated_fecha", day, 122)
    ]
    assert done.transactions == ingest({"tx.csv": csv(*USUAL)}).transactions
    (warning,) = (r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    assert f"{day} (tx.csv line 122)" in warning
    assert "columns: {fecha: {isolated: " in warning


def test_a_date_far_from_all_others_is_kept_where_a_setting_says_so(ingest, caplog, shipped_rules):
    columns = shipped_rules["tables"]["transactions"]["columns"]
    kept = columns | {"fecha": columns["fecha"] | {"isolated": "keep"}}
    done = ingest({"tx.csv": csv(*USUAL, sale("TFAR", fecha="2034-06-30"))}, columns=kept)
    assert (len(done.transactions), done.quarantine) == (121, [])
    assert "2034-06-30 (tx.csv line 122)" in caplog.text


SEASONS = [f"{year}-12-{day:02d}" for year in range(2016, 2025) for day in range(1, 25)]
SPARSE = ["2015-02-01", "2016-09-09", "2017-01-01", "2019-05-05", "2021-01-01", "2024-01-01"]


@pytest.mark.parametrize("days", [SEASONS, SPARSE, SPARSE * 20, ["2024-05-31"] * 50])
def test_seasons_sparse_days_and_a_single_one_are_no_dates_far_from_others(ingest, days):
    done = ingest({"tx.csv": csv(*(sale(f"T{i}", fecha=day) for i, day in enumerate(days)))})
    assert done.quarantine == []


def test_ids_that_programs_have_damaged_are_named_without_showing_one(ingest, caplog):
    ids = ["C1", "NULL", "#N/A", "1.23457E+12", '"=""00001"""', "7.0"]
    done = ingest({"tx.csv": csv(*(sale(f"T{i}", id_cliente=c) for i, c in enumerate(ids)))})
    assert len(done.transactions) == len(ids)
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert [text.split(" ids are ")[0] for text in warnings] == [
        f"transactions.id_cliente: {rows}" for rows in (2, 1, 1, 1)
    ]
    assert "missing_words: [" in warnings[0]
    assert "00001" not in caplog.text


def test_ids_written_in_two_ways_are_named_when_most_references_are_unknown(ingest, caplog):
    ingest(
        {"tx.csv": csv(*(sale(f"T{i}", id_cliente=f"{i}.0") for i in range(9)))}, PEOPLE + "1,,,,\n"
    )
    assert "9 of 9 references are unknown" in caplog.text
    assert "look like '9.9', where they are known like '9'" in caplog.text


def test_accents_apart_from_their_letter_change_nothing(ingest):
    composed = [sale("T1"), sale("T2", categoria="PANADERÍA")]
    apart = [unicodedata.normalize("NFD", line) for line in composed]
    header = HEADER + ",región"
    whole, mixed, parquet = (
        ingest({name: content}).transactions
        for name, content in {
            "tx.csv": csv(*(f"{line},Bogotá" for line in composed), header=header),
            "mixed.csv": csv(
                composed[0] + ",Bogotá",
                apart[1] + ",Bogotá",
                header=unicodedata.normalize("NFD", header),
            ),
            "apart.parquet": parquet_of(csv(*(f"{line},Bogotá" for line in apart), header=header)),
        }.items()
    )
    assert whole == mixed == parquet


def parquet_of(text):
    target = io.BytesIO()
    pd.read_csv(io.StringIO(text), dtype=str).to_parquet(target)
    return target.getvalue()
