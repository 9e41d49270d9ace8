from datetime import date, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.oracle import cutoff_of_customer
from tests.features.tables import Engine, Retailer, Tx, at, retailers

from clientela.features.transactions import (
    CUTOFF,
    Cutoff,
    add_cutoff,
    is_in_target_window,
    make_timestamp,
    months_before,
)

LAST = Cutoff("last_transaction", None, 3)
MAY = Cutoff("calendar", date(2024, 5, 31), 3)


def dated_rows(
    engine: Engine, cutoff: Cutoff, transactions: list[Tx]
) -> list[tuple[str, datetime, datetime, bool]]:
    dated = add_cutoff(Engine.transactions, cutoff)
    chosen = dated.select("id_cliente", "fecha", CUTOFF, inside=is_in_target_window(dated, cutoff))
    rows: list[dict[str, Any]] = engine.rows(chosen, transactions)
    return sorted((row["id_cliente"], row["fecha"], row[CUTOFF], row["inside"]) for row in rows)


def test_months_before_agree_with_the_calendar_on_every_day_of_four_years(engine: Engine) -> None:
    days = [at("2022-01-01 13:45") + timedelta(days=i) for i in range(4 * 365 + 1)]
    lengths = (1, 3, 6, 12, 14)
    earlier = Engine.transactions.select(
        "fecha", **{str(n): months_before(Engine.transactions["fecha"], n) for n in lengths}
    )
    rows = engine.rows(earlier, [Tx("ana", day) for day in days])
    assert sorted(rows, key=lambda row: row["fecha"]) == [
        {"fecha": day} | {str(n): day - relativedelta(months=n) for n in lengths} for day in days
    ]


@pytest.mark.parametrize(
    ("last", "cutoff"),
    [
        (at("2024-05-31 18:30"), at("2024-02-29 18:30")),
        (at("2023-05-31"), at("2023-02-28")),
        (at("2024-02-29 00:00:01"), at("2023-11-29 00:00:01")),
        (at("2024-03-31"), at("2023-12-31")),
    ],
)
def test_the_last_transaction_minus_the_window_is_the_cutoff(
    engine: Engine, last: datetime, cutoff: datetime
) -> None:
    just_before = cutoff - timedelta(microseconds=1)
    rows = [Tx("ana", day) for day in (just_before, cutoff, last)]
    assert dated_rows(engine, LAST, rows) == [
        ("ana", just_before, cutoff, False),
        ("ana", cutoff, cutoff, True),
        ("ana", last, cutoff, True),
    ]


def test_the_calendar_window_is_half_open(engine: Engine) -> None:
    end = at("2024-08-31")
    moments = [
        (at("2024-05-30 23:59:59.999999"), False),
        (at("2024-05-31"), True),
        (end - timedelta(microseconds=1), True),
        (end, False),
    ]
    assert dated_rows(engine, MAY, [Tx("ana", moment) for moment, _ in moments]) == [
        ("ana", moment, at("2024-05-31"), inside) for moment, inside in moments
    ]


@settings(max_examples=12, deadline=None)
@given(retailers(), st.sampled_from([LAST, MAY]))
def test_each_customer_has_a_cutoff_of_their_own_and_no_row_is_lost(
    engine: Engine, retailer: Retailer, cutoff: Cutoff
) -> None:
    expected = sorted(
        (key, row.fecha, cutoff_of_customer(cutoff, mine))
        for key, mine in retailer.by_customer().items()
        for row in mine
    )
    found = [row[:3] for row in dated_rows(engine, cutoff, retailer.transactions)]
    assert found == expected


def test_a_calendar_cutoff_needs_its_date() -> None:
    with pytest.raises(ValueError, match="calendar cutoff needs its as_of date"):
        make_timestamp(None)
