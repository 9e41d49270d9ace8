import codecs
import gzip
import re

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clientela.datasets import raw_table
from clientela.datasets.raw_table import DelimitedText, TextFormat, TextLines
from clientela.exceptions import RawFileUnreadableError

LINEAGE = [("_file", pa.string()), ("_line", pa.int64())] + [
    (name, pa.string()) for name in ("_raw", "_problem")
]


def read(path, **text):
    """All rows of a file, ordered by line."""
    source = DelimitedText(str(path), TextFormat(**text))
    schema = pa.schema([(name, pa.string()) for name in source.header] + LINEAGE)
    rows = [row for batch in source.iter_batches(schema) for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: row["_line"])


@pytest.fixture
def rows_of(tmp_path):
    def rows_of(content, name="datos.csv", **text):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, **text)

    return rows_of


def test_each_row_carries_its_columns_its_place_and_its_text(rows_of):
    assert rows_of("id,ciudad\n1,Cali\n2,Bogotá\n") == [
        {
            "id": "1",
            "ciudad": "Cali",
            "_file": "datos.csv",
            "_line": 2,
            "_raw": "1,Cali",
            "_problem": None,
        },
        {
            "id": "2",
            "ciudad": "Bogotá",
            "_file": "datos.csv",
            "_line": 3,
            "_raw": "2,Bogotá",
            "_problem": None,
        },
    ]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id,rubro\n1,TECNOLOGÍA\n".encode(), "auto"),
        (codecs.BOM_UTF8 + "id,rubro\n1,TECNOLOGÍA\n".encode(), "auto"),
        ("id,rubro\n1,TECNOLOGÍA\n".encode("latin-1"), "auto"),
        ("id,rubro\n1,TECNOLOGÍA\n".encode("latin-1"), "latin-1"),
        ("id,rubro\n1,TECNOLOGÍA\n".encode("cp1252"), "cp1252"),
        ("id,rubro\n1,TECNOLOGÍA\n".encode("cp850"), "cp850"),
    ],
    ids=["utf-8", "byte order mark", "latin-1", "declared latin-1", "windows", "dos"],
)
def test_accents_survive_in_every_encoding(rows_of, content, encoding):
    (row,) = rows_of(content, encoding=encoding)
    assert (row["id"], row["rubro"], row["_problem"]) == ("1", "TECNOLOGÍA", None)


def test_one_broken_byte_does_not_turn_a_utf_8_file_into_latin_1(rows_of):
    lines = [f"{i},TECNOLOGÍA".encode() for i in range(9)] + [b"9,ROPA\xff"]
    rows = rows_of(b"id,rubro\n" + b"\n".join(lines))
    assert [row["rubro"] for row in rows] == ["TECNOLOGÍA"] * 9 + [None]
    assert rows[9]["_problem"] == "invalid_encoding"


def test_no_accented_row_of_a_latin_1_file_is_lost(rows_of):
    lines = [f"{i},{'TECNOLOGÍA' if i % 3 else 'HOGAR'}" for i in range(300)]
    rows = rows_of(("id,rubro\n" + "\n".join(lines)).encode("latin-1"))
    assert [row["_raw"] for row in rows] == lines
    assert sum(row["rubro"] == "TECNOLOGÍA" for row in rows) == 200


def test_an_accented_header_is_read_in_the_files_encoding(rows_of):
    (row,) = rows_of("id,año\n1,2024\n".encode("latin-1"))
    assert row["año"] == "2024"


def test_an_unknown_encoding_names_what_is_known(rows_of):
    with pytest.raises(RawFileUnreadableError, match=r"'latino' is not known. Use auto, utf-8"):
        rows_of("id\n1\n", encoding="latino")


@pytest.mark.parametrize("encoding", ["auto", "utf-16"])
def test_a_utf_16_file_is_told_to_be_saved_as_utf_8(rows_of, encoding):
    with pytest.raises(RawFileUnreadableError, match=r"UTF-16.*Save it as UTF-8"):
        rows_of("id,rubro\n1,HOGAR\n".encode("utf-16"), encoding=encoding)


def test_bytes_that_the_declared_encoding_lacks_are_one_broken_row(rows_of):
    rows = rows_of(b"id,rubro\n1,HOGAR\n2,TECNOLOG\xcdA\n3,ROPA\n", encoding="utf-8")
    assert [row["_problem"] for row in rows] == [None, "invalid_encoding", None]
    assert rows[1]["_raw"] == "2,TECNOLOG�A"
    assert rows[1]["rubro"] is None


def test_bytes_that_a_declared_code_page_lacks_are_one_broken_row(rows_of):
    # 0x81 means nothing in cp1252
    rows = rows_of(b"id,rubro\n1,HOGAR\n2,A\x81B\n3,ROPA\n", encoding="cp1252")
    assert [row["_problem"] for row in rows] == [None, "invalid_encoding", None]


@pytest.mark.parametrize(
    "content",
    [
        "id,valor\n1,a\n2,b\n",
        "id,valor\r\n1,a\r\n2,b\r\n",
        "id,valor\r1,a\r2,b\r",
        "id,valor\n1,a\n2,b",
        "id,valor\r\n1,a\r\n2,b",
    ],
    ids=["unix", "windows", "old mac", "no final newline", "windows, no final newline"],
)
def test_line_ends_of_every_system_are_read_alike(rows_of, content):
    rows = rows_of(content)
    assert [(r["id"], r["valor"], r["_line"]) for r in rows] == [("1", "a", 2), ("2", "b", 3)]


def test_blank_lines_are_rows_of_their_own_and_keep_the_count(rows_of):
    rows = rows_of("id,valor\n1,a\n\n   \n2,b\n")
    assert [(r["_line"], r["_problem"]) for r in rows] == [
        (2, None),
        (3, "blank_line"),
        (4, "blank_line"),
        (5, None),
    ]


def test_quotes_hold_delimiters_and_doubled_quotes(rows_of):
    rows = rows_of('id,nombre\n1,"Muebles, S.A."\n2,"la ""buena"" mesa"\n3,"liso"\n')
    assert [row["nombre"] for row in rows] == ["Muebles, S.A.", 'la "buena" mesa', "liso"]
    assert rows[0]["_raw"] == '1,"Muebles, S.A."'


def test_the_rows_that_cannot_be_split_say_why_and_keep_their_text(rows_of):
    rows = rows_of('id,valor\n1,a,b\n2\n3,"abierta\n4,"a","b"\n"5"\n6,bien\n')
    assert [(r["_problem"], r["_raw"]) for r in rows] == [
        ("extra_columns", "1,a,b"),
        ("missing_columns", "2"),
        ("unbalanced_quotes", '3,"abierta'),
        ("extra_columns", '4,"a","b"'),
        ("missing_columns", '"5"'),
        (None, "6,bien"),
    ]


def test_a_quote_that_never_closes_swallows_no_other_row(rows_of):
    rows = rows_of('id,valor\n1,"a\n' + "".join(f"{i},x\n" for i in range(2, 500)))
    assert [row["_problem"] for row in rows] == ["unbalanced_quotes"] + [None] * 498


def test_nul_bytes_and_control_characters_lose_no_row(rows_of):
    rows = rows_of(b"id,valor\n1,a\x00b\n2,a\x1fb\n3,\x1f\x1f\n4,c\n")
    assert [r["_line"] for r in rows] == [2, 3, 4, 5]
    assert [r["valor"] for r in rows] == ["a\x00b", "a\x1fb", "\x1f\x1f", "c"]


def test_a_single_column_needs_no_delimiter(rows_of):
    assert [row["id"] for row in rows_of("id\n1\n2\n")] == ["1", "2"]


def test_another_delimiter_is_declared(rows_of):
    (row,) = rows_of("id;valor\n1;1,50\n", delimiter=";")
    assert row["valor"] == "1,50"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_wrong_delimiter_is_answered_with_the_one_in_the_header(rows_of, delimiter):
    written = delimiter.replace("\t", "\\t")
    declared = re.escape(f'globals.yml: raw_text: {{<table>: {{delimiter: "{written}"}}}}')
    with pytest.raises(RawFileUnreadableError, match=declared):
        rows_of(f"id{delimiter}valor\n1{delimiter}2\n")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14\x00[Content_Types].xml\n\xff", "an Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel file"),
        (b"%PDF-1.7\n1 0 obj", "a PDF"),
        (b"PAR1\x15\x04", r"Parquet, but its name does not end in \.parquet"),
        (
            gzip.compress(b"id\n1\n", mtime=0),
            r"compressed with gzip, but its name does not end in \.gz",
        ),
        (b"id\x00valor\n", "no text: its first line holds binary data"),
    ],
)
def test_a_file_that_is_no_text_is_named_for_what_it_is(rows_of, content, kind):
    mend = rf"datos.csv is {kind}.*\. Save it as CSV \(in Excel: CSV UTF-8\).* raw_files\.<table> "
    with pytest.raises(RawFileUnreadableError, match=mend):
        rows_of(content)


def test_a_declared_semicolon_is_answered_with_the_comma_in_the_header(rows_of):
    with pytest.raises(RawFileUnreadableError, match=r"no ';' in the header, but ',' is"):
        rows_of("id,valor\n1,2\n", delimiter=";")


def test_a_compressed_file_reads_like_its_content(rows_of):
    content = "id,rubro\n1,TECNOLOGÍA\n2,HOGAR\n".encode()
    zipped = rows_of(gzip.compress(content), name="datos.csv.gz")
    plain = rows_of(content)
    assert [{**row, "_file": "datos.csv"} for row in zipped] == plain


def test_a_damaged_compressed_file_is_named(rows_of):
    content = "id,valor\n" + "".join(f"{i},{i * 7919}\n" for i in range(200_000))
    damaged = gzip.compress(content.encode())[:-2000]
    with pytest.raises(RawFileUnreadableError, match=r"datos.csv.gz is damaged.*Copy it again"):
        rows_of(damaged, name="datos.csv.gz")


def test_a_file_that_only_bears_the_name_of_a_compression_is_refused(rows_of):
    with pytest.raises(
        RawFileUnreadableError, match=r"datos.csv.gz is.*not compressed as its ending"
    ):
        rows_of("id,valor\n1,2\n", name="datos.csv.gz")


@pytest.mark.parametrize("content", ["", "\n", "   \n", "\ufeff"])
def test_an_empty_file_says_that_a_header_was_expected(rows_of, content):
    with pytest.raises(RawFileUnreadableError, match=r"datos.csv is empty: a header line"):
        rows_of(content)


@pytest.mark.parametrize("content", ["id,valor", "id,valor\n", "id,valor\r\n"])
def test_a_header_alone_is_an_empty_table(rows_of, content):
    assert rows_of(content) == []


def test_a_header_that_repeats_a_name_is_refused(rows_of):
    with pytest.raises(RawFileUnreadableError, match=r"the header repeats id, valor. Name each"):
        rows_of("id,valor,id, valor\n1,2,3,4\n")


def test_a_header_with_a_nameless_column_is_refused(rows_of):
    with pytest.raises(RawFileUnreadableError, match="the header has a column without a name"):
        rows_of("id,,valor\n1,2,3\n")


@pytest.mark.parametrize("header", [",valor", '"","valor"'])
def test_the_row_numbers_that_pandas_and_r_export_are_a_column_like_any_other(rows_of, header):
    (row,) = rows_of(f"{header}\n0,5\n")
    assert (row["Unnamed: 0"], row["valor"]) == ("0", "5")


@pytest.mark.parametrize("name", ["_file", "_line", "_raw", "_problem"])
def test_a_header_cannot_take_the_names_of_the_readers_own_columns(rows_of, name):
    with pytest.raises(RawFileUnreadableError, match=rf"{name}.*[Rr]ename"):
        rows_of(f"id,{name}\n1,2\n")


def test_a_header_whose_quotes_never_close_is_refused(rows_of):
    with pytest.raises(RawFileUnreadableError, match=r"datos\.csv: the header can't be split"):
        rows_of('id,"valor\n1,2\n')


@pytest.mark.parametrize("block", [64, 700, 10_000])
def test_a_line_that_is_too_long_is_named_by_its_number(rows_of, monkeypatch, block):
    monkeypatch.setattr(raw_table, "BLOCK_BYTES", block)
    monkeypatch.setattr(raw_table, "LONGEST_LINE", 1000)
    content = "id,valor\n1,a\n2," + "x" * 5000 + "\n3,b\n"
    with pytest.raises(RawFileUnreadableError, match=r"line 3 is longer than 1,000 bytes"):
        rows_of(content)


def test_line_numbers_run_on_across_blocks(rows_of, monkeypatch):
    monkeypatch.setattr(raw_table, "BLOCK_BYTES", 256)
    lines = [f"{i},{'a' + chr(31) if i % 7 == 0 else 'b'}" for i in range(2, 800)]
    rows = rows_of("id,valor\n" + "\n".join(lines) + "\n")
    assert [(str(row["_line"]), row["_raw"]) for row in rows] == [
        (line.split(",")[0], line) for line in lines
    ]


def physical_lines(content: bytes) -> list[bytes]:
    """The lines after the first: a slow loop over bytes, knowing nothing of columns."""
    lines, current, position = [], bytearray(), 0
    while position < len(content):
        byte = content[position : position + 1]
        if byte in (b"\n", b"\r"):
            lines.append(bytes(current))
            current = bytearray()
            position += content[position : position + 2] == b"\r\n"
        else:
            current += byte
        position += 1
    return lines[1:] + ([bytes(current)] if current else [])


BITS = [b"\n", b"\r", b"\r\n", b",", b'"', b'""', b"\x00", b"\x1f", b"\xed", b"\xff\xfe", b" "]
GARBAGE = st.lists(
    st.one_of(st.sampled_from(BITS), st.binary(max_size=6), st.text(max_size=4).map(str.encode)),
    max_size=40,
).map(b"".join)


@given(garbage=GARBAGE, encoding=st.sampled_from(["auto", "utf-8", "latin-1", "cp1252"]))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_of_arbitrary_bytes_every_line_becomes_exactly_one_row(tmp_path, garbage, encoding):
    path = tmp_path / "datos.csv"
    content = b"id,valor\n" + garbage
    path.write_bytes(content)
    rows = read(path, encoding=encoding)
    lines = physical_lines(content)
    assert [row["_line"] for row in rows] == list(range(2, 2 + len(lines)))
    used = TextLines(str(path), encoding).encoding
    for row, line in zip(rows, lines, strict=True):
        assert row["_raw"] == line.decode(used, errors="replace")
        assert (row["_problem"] is None) == (row["id"] is not None and row["valor"] is not None)


@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=6),
            min_size=2,
            max_size=2,
        ),
        max_size=15,
    )
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_quoted_values_come_back_as_they_were_written(tmp_path, rows):
    path = tmp_path / "datos.csv"
    quoted = [",".join('"' + value.replace('"', '""') + '"' for value in row) for row in rows]
    path.write_bytes(("id,valor\n" + "".join(line + "\n" for line in quoted)).encode())
    assert [[row["id"], row["valor"]] for row in read(path)] == rows
