import re
from datetime import date, datetime
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.column_rules import ColumnRule, TableRules, date_pattern
from clientela.exceptions import ConfigurationError
from clientela.pipelines.ingestion.validation import convert_to_type, normalize_missing_text


def values(texts, kind, **table):
    rule = ColumnRule(type=kind)
    rules = TableRules(key=("id",), columns={"id": ColumnRule(type="id"), "x": rule}, **table)
    lying = ibis.memtable({"n": range(len(texts)), "x": texts}, schema={"n": "int64", "x": "str"})
    found = lying.select("n", x=convert_to_type(lying["x"], rule, rules)).order_by("n")
    return found.to_pyarrow()["x"].to_pylist()


def assert_read_as(expected, kind, **table):
    """One query reads every text of a table from text to value."""
    assert dict(zip(expected, values(list(expected), kind, **table), strict=True)) == expected


AMOUNTS = {
    "10": "10.00",
    "10.5": "10.50",
    "-3.25": "-3.25",
    "+3.25": "3.25",
    "0.10": "0.10",
    "007": "7.00",
    "10.500": "10.50",
    "9999999999999999.99": "9999999999999999.99",
}
# fmt: off
NO_AMOUNTS = (
    "10.123", "1.234", "1,5", "1,234.50", "1e3", "NaN", "inf", "$10", "10 ", "", ".", "-", "1.2.3",
    "10.", ".5", "0x1F", "١٢", "99999999999999999.99", "--1",
)
# fmt: on


def test_an_amount_is_exact_and_what_has_other_than_two_decimals_is_none():
    amounts = {text: Decimal(amount) for text, amount in AMOUNTS.items()}
    assert_read_as(amounts | dict.fromkeys(NO_AMOUNTS), "decimal")


COMMA = {"decimal": ",", "thousands": "."}
POINT = {"decimal": ".", "thousands": ","}


@pytest.mark.parametrize(
    ("locale", "amounts"),
    [
        (
            COMMA,
            {
                "1.234,50": "1234.50",
                "1.234": "1234.00",
                "1.234.567,8": "1234567.80",
                "-1.234,50": "-1234.50",
                "1234,5": "1234.50",
                "1234": "1234.00",
                **dict.fromkeys(("1.23", "12.34,5", "1.2345", "1,234,567", "1,234")),
            },
        ),
        (POINT, {"1,234.50": "1234.50", "1,234": "1234.00", "1.234": None, "1.23": "1.23"}),
        ({"decimal": ","}, {"1,5": "1.50", "1.5": None}),
        ({"decimal": ",", "thousands": " "}, {"1 234,50": "1234.50"}),
        ({"decimal": ".", "thousands": "'"}, {"1'234.50": "1234.50"}),
    ],
)
def test_amounts_follow_the_declared_separators(locale, amounts):
    expected = {text: amount and Decimal(amount) for text, amount in amounts.items()}
    assert_read_as(expected, "decimal", **locale)


def test_an_integer_may_be_written_with_zero_decimals():
    integers = {"12": 12, "-12": -12, "12.0": 12, "12.000": 12, "9223372036854775807": 2**63 - 1}
    others = ("12.5", "1e3", "", "doce", "9223372036854775808")
    assert_read_as(integers | dict.fromkeys(others), "integer")


def test_a_float_is_finite_and_written_in_digits():
    floats = {"1.5": 1.5, ".5": 0.5, "5.": 5.0, "1e3": 1000.0, "-2E-2": -0.02}
    others = ("nan", "inf", "Infinity", "1e", "", "1e999")
    assert_read_as(floats | dict.fromkeys(others), "float")


# fmt: off
NO_MOMENTS = (
    "2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-04-31", "2024-02-29 24:00:01",
    "2024-02-29 10:61:00", "24-02-29", "29/02/2024", "2024-02-29 10:05", "2024-02-29 10:05:07Z",
    "2024-02-29 10:05:07+00:00", "20240229", "ayer", "",
)
# fmt: on


def test_a_moment_exists_and_follows_a_format():
    texts = {
        "2024-02-29": "2024-02-29",
        "2024-02-29 10:05:07": "2024-02-29 10:05:07",
        "2024-02-29T10:05:07": "2024-02-29 10:05:07",
        "2024-02-29 10:05:07.250": "2024-02-29 10:05:07.250",
        "2024-2-9": "2024-02-09",
    }
    moments = {text: datetime.fromisoformat(moment) for text, moment in texts.items()}
    assert_read_as(moments | dict.fromkeys(NO_MOMENTS), "timestamp")


@pytest.mark.parametrize(
    ("formats", "days"),
    [
        (
            ("%d/%m/%Y",),
            {
                "29/02/2024": date(2024, 2, 29),
                "9/2/2024": date(2024, 2, 9),
                "29/02/24": None,
                "02/29/2024": None,
            },
        ),
        (("%d/%m/%Y", "%m/%d/%Y"), {"02/29/2024": None}),
        (("%d/%m/%Y", "%m.%d.%Y"), {"02.29.2024": date(2024, 2, 29)}),
        (("%Y%m%d",), {"20240229": date(2024, 2, 29)}),
        (("%d-%m-%Y %H:%M:%S",), {"29-02-2024 23:59:59": date(2024, 2, 29)}),
    ],
)
def test_dates_follow_the_declared_formats_in_their_order(formats, days):
    assert_read_as(days, "date", date_formats=formats)


@pytest.mark.parametrize("wrong", ["%d/%m/%y", "%d/%m", "%Y-%m-%d %Z", "%Y-%m-%d %Y", ""])
def test_a_format_without_year_month_and_day_is_refused(wrong):
    with pytest.raises(
        ConfigurationError, match=r"date_formats: .* should hold %Y, %m and %d once"
    ):
        date_pattern(wrong)


def test_blanks_around_a_value_are_no_part_of_it():
    lying = ibis.memtable({"n": range(4), "x": ["  a b ", "   ", "", None]})
    found = (
        lying.select("n", x=normalize_missing_text(lying["x"]))
        .order_by("n")
        .to_pyarrow()["x"]
        .to_pylist()
    )
    assert found == ["a b", None, None, None]


def slow_amount(text):
    """An amount as a person reads it: digits, at most one point, two decimals that count."""
    body = text[1:] if text[:1] in ("+", "-") else text
    whole, point, decimals = body.partition(".")
    digits = set("0123456789")
    if not whole or not set(whole) <= digits or not set(decimals) <= digits:
        return None
    if point and not decimals:
        return None
    if decimals[2:].strip("0") or len(whole.lstrip("0")) > 16:
        return None
    return Decimal(text)


def slow_day(text):
    found = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


@given(
    st.lists(st.text("0123456789.,+- ", max_size=9) | st.text(max_size=5), min_size=40, max_size=90)
)
@settings(max_examples=10, deadline=None)
def test_amounts_agree_with_a_slow_reading(texts):
    assert values(texts, "decimal") == [slow_amount(text) for text in texts]


NEARLY_DAYS = st.builds(
    "{:04d}-{}-{}".format, st.integers(1600, 2200), st.integers(0, 13), st.integers(0, 32)
)


@given(st.lists(NEARLY_DAYS | st.text("0123456789-/", max_size=10), min_size=40, max_size=90))
@settings(max_examples=10, deadline=None)
def test_dates_agree_with_a_slow_calendar(texts):
    assert values(texts, "date", date_formats=("%Y-%m-%d",)) == [slow_day(text) for text in texts]
