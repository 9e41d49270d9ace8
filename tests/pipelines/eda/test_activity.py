import ibis
import pandas as pd
import pytest

from clientela.pipelines.eda.activity import (
    aggregate_by_category,
    aggregate_by_hour,
    aggregate_by_month,
    compute_concentration,
    count_customers_by_frequency,
)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "id_cliente": ["a", "a", "b", "c", "c", "c"],
            "fecha": pd.to_datetime(
                [
                    "2024-01-31 23:59",
                    "2024-02-01 00:00",
                    "2024-02-29 10:30",
                    "2024-02-05 10:00",
                    "2024-04-01 10:00",
                    "2024-04-01 10:00",
                ]
            ),
            "categoria": ["TECNOLOGÍA", "Tecnologia", "ROPA", "ROPA", "ROPA", "ROPA"],
            "rubro": ["tecnologia", "tecnologia", "ropa", "ropa", "ropa", "ropa"],
            "valor_transaccion": [100.0, 50.0, 20.0, -20.0, 10.0, 0.0],
            "puntos": [10, -4, None, 0, 1, 0],
        }
    )


def lazy(frame):
    return ibis.memtable(frame).mutate(
        valor_transaccion=ibis._.valor_transaccion.cast("decimal(18, 2)")
    )


def test_months_separate_purchases_refunds_and_points(frame):
    found = aggregate_by_month(lazy(frame)).execute()
    assert pd.to_datetime(found["month"]).dt.month.tolist() == [1, 2, 4]
    assert found["rows"].tolist() == [1, 3, 2]
    assert found["customers"].tolist() == [1, 3, 1]
    assert found["bought"].astype(float).tolist() == [100, 70, 10]
    assert found["refunds"].tolist() == [0, 1, 0]
    assert found["refunded"].astype(float).tolist() == [0, -20, 0]
    assert found["earned"].tolist() == [10, 0, 1]
    assert found["redeemed"].tolist() == [0, 4, 0]


def test_data_without_points_has_none(frame):
    assert aggregate_by_month(lazy(frame.drop(columns="puntos"))).execute()["earned"].sum() == 0


def test_weekdays_begin_on_monday(frame):
    found = aggregate_by_hour(lazy(frame)).execute()
    monday_ten = found.query("weekday == 0 and hour == 10")
    assert monday_ten["rows"].tolist() == [3]
    assert found["rows"].sum() == len(frame)


def test_categories_are_compared_folded_and_say_how_often_they_are_spelled(frame):
    found = aggregate_by_category(lazy(frame)).execute()
    assert found["rubro"].tolist() == ["tecnologia", "ropa"]
    assert found["spellings"].tolist() == [2, 1]
    assert found["customers"].tolist() == [1, 2]


def test_every_customer_stands_on_one_step(frame):
    found = count_customers_by_frequency(lazy(frame)).execute()
    assert found["at_least"].tolist() == [1, 2, 3]
    assert found["customers"].tolist() == [1, 1, 1]
    assert found["rows"].tolist() == [1, 2, 3]


def test_tenths_of_customers_are_even_and_hold_the_whole_amount():
    frame = pd.DataFrame(
        {"id_cliente": [f"{i:02d}" for i in range(20)], "valor_transaccion": range(20)}
    )
    found = compute_concentration(ibis.memtable(frame)).execute()
    assert found["tenth"].tolist() == list(range(1, 11))
    assert found["customers"].tolist() == [2] * 10
    assert found["bought"].tolist() == [19 + 18 - 4 * i for i in range(10)]


def test_row_order_changes_nothing(frame):
    shuffled = frame.sample(frac=1, random_state=3)
    for look in (
        aggregate_by_month,
        aggregate_by_hour,
        aggregate_by_category,
        count_customers_by_frequency,
        compute_concentration,
    ):
        pd.testing.assert_frame_equal(look(lazy(frame)).execute(), look(lazy(shuffled)).execute())
