from datetime import date
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.column_rules import TableRules
from clientela.exceptions import InvalidColumnsError
from clientela.pipelines.ingestion.validation import validate_rows
from clientela.text import normalize_text, normalize_word

COLUMNS = ("id", "cliente", "fecha", "rubro", "valor", "edad")
RULES = {
    "key": ["id"],
    "columns": {
        "id": {"type": "id", "missing": "quarantine"},
        "cliente": {"type": "id", "missing": "quarantine"},
        "fecha": {"type": "date", "earliest": "1990-01-01", "latest": "2100-12-31"},
        "rubro": {"type": "category", "folded_as": "rubro_comparable"},
        "valor": {"type": "decimal", "missing": "quarantine"},
        "edad": {
            "type": "integer",
            "required": False,
            "invalid": "set_missing",
            "minimum": 0,
            "maximum": 120,
        },
    },
}


def rules(**columns):
    """The rules above, with some columns' fields changed."""
    changed = {name: RULES["columns"].get(name, {}) | fields for name, fields in columns.items()}
    return TableRules.model_validate(RULES | {"columns": RULES["columns"] | changed})


def verdicts(table, which=None, **known):
    found = validate_rows(table, which or rules(), "ventas", known)
    return found.order_by("_line").to_pyarrow().to_pylist()


@pytest.fixture(scope="session")
def judge(raw_table):
    """The verdicts over rows that are sound except for what is given, in one query."""

    def judge(*changes, which=None):
        sound = {
            "id": "T1",
            "cliente": "C1",
            "fecha": "2024-02-29",
            "rubro": "TECNOLOGÍA",
            "valor": "10.5",
            "edad": "40",
        }
        rows = [
            sound | {"id": f"T{place}"} | cells for place, cells in enumerate(changes or ({},), 1)
        ]
        table = raw_table(tuple(rows[0]), [tuple(row.values()) for row in rows])
        return verdicts(table, which)

    return judge


def test_the_first_value_that_was_set_missing_stays_at_hand(judge):
    both = rules(edad={}, valor={"missing": "allow", "invalid": "set_missing"})
    cells = [{"edad": "200", "valor": "diez"}, {"edad": "200", "valor": ""}]
    assert [row["_emptied"] for row in judge(*cells, which=both)] == ["diez", "200"]


def test_a_sound_row_is_typed_and_accepted(judge):
    [accepted] = judge()
    assert accepted == {
        "id": "T1",
        "cliente": "C1",
        "fecha": date(2024, 2, 29),
        "rubro": "TECNOLOGÍA",
        "valor": Decimal("10.50"),
        "edad": 40,
        "edad_invalid": False,
        "rubro_comparable": "tecnologia",
        "_reason": None,
        "_value": None,
        "_emptied": None,
        "_file": "tx.csv",
        "_line": 2,
        "_raw": None,
    }


BROKEN = [
    ({"id": ""}, "missing_id", None),
    ({"cliente": "  "}, "missing_cliente", None),
    ({"valor": ""}, "missing_valor", None),
    ({"valor": "gratis"}, "invalid_valor", "gratis"),
    ({"valor": "10.123"}, "invalid_valor", "10.123"),
    ({"fecha": "2024-02-30"}, "invalid_fecha", "2024-02-30"),
    ({"fecha": "1989-12-31"}, "invalid_fecha", "1989-12-31"),
    ({"fecha": "2101-01-01"}, "invalid_fecha", "2101-01-01"),
    ({"id": "", "valor": "x"}, "missing_id", None),
]


def test_a_broken_row_names_its_first_fault_and_keeps_its_text(judge):
    refused = judge(*(cells for cells, *_ in BROKEN))
    expected = [(reason, blamed) for _, reason, blamed in BROKEN]
    assert [(row["_reason"], row["_value"]) for row in refused] == expected
    assert all(row["_raw"] is not None for row in refused)


def test_bounds_of_dates_are_inclusive_and_a_refund_is_accepted(judge):
    days = ["1990-01-01", "2100-12-31"]
    first, last, refund = judge(*({"fecha": day} for day in days), {"valor": "-25.00"})
    assert [first["fecha"], last["fecha"]] == [date.fromisoformat(day) for day in days]
    assert (refund["valor"], refund["_reason"]) == (Decimal("-25.00"), None)


def test_an_unusable_attribute_is_emptied_and_flagged(judge):
    expected = {
        "0": (0, False, None),
        "120": (120, False, None),
        "121": (None, True, None),
        "-1": (None, True, None),
        "cuarenta": (None, True, None),
        "": (None, False, None),
        None: (None, False, None),
    }
    rows = judge(*({"edad": text} for text in expected))
    found = [(row["edad"], row["edad_invalid"], row["_reason"]) for row in rows]
    assert found == list(expected.values())


def test_bounds_of_amounts_are_exact(judge):
    rows = judge({"valor": "0.30"}, {"valor": "0.31"}, which=rules(valor={"maximum": "0.30"}))
    assert [row["_reason"] for row in rows] == [None, "invalid_valor"]


@pytest.mark.parametrize("kind", ["text", "category"])
def test_words_that_are_not_allowed_are_refused_whatever_their_accents(judge, kind):
    listed = rules(canal={"type": kind, "allowed": ["Teléfono", "web"]})
    accepted, refused = judge({"canal": "TELEFONO "}, {"canal": "fax"}, which=listed)
    assert accepted["canal"] == "TELEFONO"
    assert (refused["_reason"], refused["_value"]) == ("invalid_canal", "fax")


def test_an_optional_column_that_the_file_lacks_is_missing_and_typed(raw_table):
    table = raw_table(COLUMNS[:5], [("T1", "C1", "2024-02-29", "HOGAR", "1")])
    checked = validate_rows(table, rules(), "ventas")
    assert checked["edad"].type().is_int64()
    (found,) = checked.to_pyarrow().to_pylist()
    assert (found["edad"], found["edad_invalid"], found["_reason"]) == (None, False, None)


def test_extra_columns_pass_untouched(judge):
    assert judge({"ciudad": "  Cali "})[0]["ciudad"] == "  Cali "


def test_the_readers_own_problem_comes_first(raw_table):
    table = raw_table(COLUMNS, [(None,) * 6], problems={0: "extra_columns"})
    assert [row["_reason"] for row in verdicts(table)] == ["extra_columns"]


def test_a_required_column_that_is_absent_is_named_with_the_nearest(raw_table):
    table = raw_table(("id", "Cliente ", "fecha", "rubro", "monto"), [])
    with pytest.raises(InvalidColumnsError) as caught:
        validate_rows(table, rules(), "ventas")
    message = str(caught.value)
    assert "The table 'ventas' lacks the columns cliente, valor." in message
    assert "'cliente': Did you mean 'Cliente '?" in message
    assert "Found: id, Cliente , fecha, rubro, monto." in message
    assert "_line" not in message


@pytest.mark.parametrize("name", ["rubro_comparable", "edad_invalid", "_reason", "_value"])
def test_a_column_that_ingestion_makes_itself_cannot_come_from_the_file(judge, name):
    with pytest.raises(InvalidColumnsError, match=rf"has the column {name}, which ingestion makes"):
        judge({name: "x"})


def sales(*rows):
    return [(key, "C1", "2024-01-01", "HOGAR", amount, "") for key, amount in rows]


def test_of_equal_rows_one_stays(raw_table):
    found = verdicts(raw_table(COLUMNS, sales(("T1", "5"), ("T2", "5"), ("T1", "5"))))
    assert [row["_reason"] for row in found] == [None, None, "duplicate_key"]


def test_of_contradicting_rows_the_same_one_stays_in_any_order_and_split(raw_table):
    rows = sales(("T1", "7"), ("T1", "5"), ("T1", "6"), ("T2", "1"), ("T2", "1"))
    kept = set()
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        for cut in (0, 2):
            shuffled = [rows[place] for place in order]
            table = raw_table(COLUMNS, shuffled[:cut], file="z.csv").union(
                raw_table(COLUMNS, shuffled[cut:], file="a.csv")
            )
            accepted = [row for row in verdicts(table) if row["_reason"] is None]
            kept.add(tuple(sorted((row["id"], row["valor"]) for row in accepted)))
    assert kept == {(("T1", Decimal("5.00")), ("T2", Decimal("1.00")))}


def test_a_broken_row_never_displaces_a_sound_one_with_its_key(raw_table):
    found = verdicts(raw_table(COLUMNS, sales(("T1", "0x"), ("T1", "5"))))
    assert [row["_reason"] for row in found] == ["invalid_valor", None]


def test_blanks_do_not_hide_a_duplicate(raw_table):
    found = verdicts(raw_table(COLUMNS, sales((" T1", "5"), ("T1 ", "5"))))
    assert sorted(str(row["_reason"]) for row in found) == ["None", "duplicate_key"]


def test_a_key_of_several_columns_is_unique_as_a_whole(raw_table):
    both = TableRules.model_validate(RULES | {"key": ["id", "fecha"]})
    rows = [("T1", "C1", day, "HOGAR", "1", "") for day in ("2024-01-01", "2024-01-02")]
    assert [r["_reason"] for r in verdicts(raw_table(COLUMNS, rows * 2), both)].count(None) == 2


@pytest.mark.parametrize(("policy", "reason"), [("keep", None), ("quarantine", "unknown_cliente")])
def test_an_unknown_customer_is_kept_or_refused_as_configured(raw_table, policy, reason):
    which = TableRules.model_validate(RULES | {"unknown_references": policy})
    known = ibis.memtable({"cliente": ["C1", "C2"]})["cliente"]
    rows = [(f"T{i}", f"C{i}", "2024-01-01", "HOGAR", "1", "") for i in (1, 3)]
    found = verdicts(raw_table(COLUMNS, rows), which, cliente=known)
    assert [row["_reason"] for row in found] == [None, reason]


# letters of Spanish, of scripts with rules of their own, and blanks of which only some are trimmed
LETTERS = (
    "aZñÑáÁüÜçÇ4 ßẞİÄĐ\N{LATIN SMALL LETTER DOTLESS I}\N{COMBINING ACUTE ACCENT}"
    "\N{GREEK CAPITAL LETTER SIGMA}\N{GREEK SMALL LETTER FINAL SIGMA}\t\x0b\x1c\xa0\u2003"
)


@given(st.lists(st.text(LETTERS, max_size=8), min_size=20, max_size=60))
@settings(max_examples=10, deadline=None)
def test_words_of_tables_and_of_configuration_are_folded_alike(words):
    lying = ibis.memtable({"n": range(len(words)), "x": words})
    found = (
        lying.select("n", x=normalize_text(lying["x"])).order_by("n").to_pyarrow()["x"].to_pylist()
    )
    assert found == [normalize_word(word) for word in words]


def test_spellings_of_technology_are_one_category(judge):
    words = ["TECNOLOGÍA", "Tecnologia", " tecnología ", "TecnologÍa"]
    rows = judge(*({"rubro": word} for word in words))
    assert {row["rubro_comparable"] for row in rows} == {"tecnologia"}


def test_words_that_stand_for_nothing_are_missing(raw_table):
    words = TableRules.model_validate(RULES | {"missing_words": ["NA", "s/d"]})
    table = raw_table(
        COLUMNS,
        [("T1", "C1", "2024-02-29", " na ", "1", "S/D"), ("T2", "NA", "2024-02-29", "x", "1", "4")],
    )
    kept, refused = verdicts(table, words)
    assert (kept["_reason"], kept["rubro"], kept["rubro_comparable"]) == (None, None, None)
    assert (kept["edad"], kept["edad_invalid"]) == (None, False)
    assert refused["_reason"] == "missing_cliente"
