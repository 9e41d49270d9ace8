import re
from datetime import date, datetime
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.column_rules import ColumnRule, TableRules
from clientela.exceptions import ConfigurationError
from clientela.pipelines.ingestion.conversion import (
    convert_to_type,
    date_pattern,
    normalize_missing_text,
)


def values(texts, kind, **table):
    rule = ColumnRule(type=kind)
    rules = TableRules(key=("id",), columns={"id": ColumnRule(type="id"), "x": rule}, **table)
    lying = ibis.memtable({"n": range(len(texts)), "x": texts}, schema={"n": "int64", "x": "str"})
    found = lying.select("n", x=convert_to_type(lying["x"], rule, rules)).order_by("n")
    return found.to_pyarrow()["x"].to_pylist()


def value(text, kind, **table):
    return values([text], kind, **table)[0]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("10", "10.00"),
        ("10.5", "10.50"),
        ("-3.25", "-3.25"),
        ("+3.25", "3.25"),
        ("0.10", "0.10"),
        ("007", "7.00"),
        ("10.500", "10.50"),
        ("9999999999999999.99", "9999999999999999.99"),
    ],
)
def test_an_amount_is_exact(text, amount):
    assert value(text, "decimal") == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "10.123",
        "1.234",
        "1,5",
        "1,234.50",
        "1e3",
        "NaN",
        "inf",
        "$10",
        "10 ",
        "",
        ".",
        "-",
        "1.2.3",
        "10.",
        ".5",
        "0x1F",
        "١٢",
        "99999999999999999.99",
        "--1",
    ],
)
def test_what_is_no_amount_of_two_decimals_is_none(text):
    assert value(text, "decimal") is None


COMMA = {"decimal": ",", "thousands": "."}
POINT = {"decimal": ".", "thousands": ","}


@pytest.mark.parametrize(
    ("text", "locale", "amount"),
    [
        ("1.234,50", COMMA, "1234.50"),
        ("1.234", COMMA, "1234.00"),
        ("1.234.567,8", COMMA, "1234567.80"),
        ("-1.234,50", COMMA, "-1234.50"),
        ("1234,5", COMMA, "1234.50"),
        ("1234", COMMA, "1234.00"),
        ("1.23", COMMA, None),
        ("12.34,5", COMMA, None),
        ("1.2345", COMMA, None),
        ("1,234,567", COMMA, None),
        ("1,234", COMMA, None),
        ("1,234.50", POINT, "1234.50"),
        ("1,234", POINT, "1234.00"),
        ("1.234", POINT, None),
        ("1.23", POINT, "1.23"),
        ("1,5", {"decimal": ","}, "1.50"),
        ("1.5", {"decimal": ","}, None),
        ("1 234,50", {"decimal": ",", "thousands": " "}, "1234.50"),
        ("1'234.50", {"decimal": ".", "thousands": "'"}, "1234.50"),
    ],
)
def test_amounts_follow_the_declared_separators(text, locale, amount):
    assert value(text, "decimal", **locale) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("-12", -12),
        ("12.0", 12),
        ("12.000", 12),
        ("12.5", None),
        ("1e3", None),
        ("", None),
        ("doce", None),
        ("9223372036854775808", None),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_an_integer_may_be_written_with_zero_decimals(text, number):
    assert value(text, "integer") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-2E-2", -0.02),
        ("nan", None),
        ("inf", None),
        ("Infinity", None),
        ("1e", None),
        ("", None),
    ],
)
def test_a_float_is_finite_and_written_in_digits(text, number):
    assert value(text, "float") == number


def test_a_float_too_large_is_none():
    assert value("1e999", "float") is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-02-29", datetime(2024, 2, 29)),  # noqa: DTZ001
        ("2024-02-29 10:05:07", datetime(2024, 2, 29, 10, 5, 7)),  # noqa: DTZ001
        ("2024-02-29T10:05:07", datetime(2024, 2, 29, 10, 5, 7)),  # noqa: DTZ001
        ("2024-02-29 10:05:07.250", datetime(2024, 2, 29, 10, 5, 7, 250_000)),  # noqa: DTZ001
        ("2024-2-9", datetime(2024, 2, 9)),  # noqa: DTZ001
        ("2023-02-29", None),
        ("2024-02-30", None),
        ("2024-13-01", None),
        ("2024-00-10", None),
        ("2024-04-31", None),
        ("2024-02-29 24:00:01", None),
        ("2024-02-29 10:61:00", None),
        ("24-02-29", None),
        ("29/02/2024", None),
        ("2024-02-29 10:05", None),
        ("2024-02-29 10:05:07Z", None),
        ("2024-02-29 10:05:07+00:00", None),
        ("20240229", None),
        ("ayer", None),
        ("", None),
    ],
)
def test_a_moment_exists_and_follows_a_format(text, moment):
    assert value(text, "timestamp") == moment


@pytest.mark.parametrize(
    ("text", "formats", "day"),
    [
        ("29/02/2024", ("%d/%m/%Y",), date(2024, 2, 29)),
        ("9/2/2024", ("%d/%m/%Y",), date(2024, 2, 9)),
        ("29/02/24", ("%d/%m/%Y",), None),
        ("02/29/2024", ("%d/%m/%Y",), None),
        ("02/29/2024", ("%d/%m/%Y", "%m/%d/%Y"), None),
        ("02.29.2024", ("%d/%m/%Y", "%m.%d.%Y"), date(2024, 2, 29)),
        ("20240229", ("%Y%m%d",), date(2024, 2, 29)),
        ("29-02-2024 23:59:59", ("%d-%m-%Y %H:%M:%S",), date(2024, 2, 29)),
    ],
)
def test_dates_follow_the_declared_formats_in_their_order(text, formats, day):
    assert value(text, "date", date_formats=formats) == day


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
@settings(max_examples=25, deadline=None)
def test_amounts_agree_with_a_slow_reading(texts):
    assert values(texts, "decimal") == [slow_amount(text) for text in texts]


NEARLY_DAYS = st.builds(
    "{:04d}-{}-{}".format, st.integers(1600, 2200), st.integers(0, 13), st.integers(0, 32)
)


@given(st.lists(NEARLY_DAYS | st.text("0123456789-/", max_size=10), min_size=40, max_size=90))
@settings(max_examples=25, deadline=None)
def test_dates_agree_with_a_slow_calendar(texts):
    assert values(texts, "date", date_formats=("%Y-%m-%d",)) == [slow_day(text) for text in texts]
