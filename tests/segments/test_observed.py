from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from tests.features.tables import at
from tests.segments.tables import Data, Shop, Tx

from clientela.features.rubros import collect_rubro_counts
from clientela.features.segment_columns import SegmentFeatureParams

SHOPPING = Data(
    [
        Tx("ana", at("2022-01-15"), "cine", categoria="CINE"),
        Tx("ana", at("2024-01-10"), canal="APP", categoria="Farmacia"),
        Tx("ana", at("2024-01-11"), canal="WEB"),
        Tx("ana", at("2024-02-29 23:00"), canal="APP", tienda=7),
        Tx("beto", at("2024-02-01"), valor_transaccion=Decimal(-9), canal="WEB", tienda=7),
        Tx("celia", at("2024-02-01"), "ropa", categoria="Ropa", tienda=8),
        Tx("celia", at("2024-06-30 10:00"), "ropa", categoria="Ropa", canal="APP"),
    ],
    [],
)
LEAP_DAY = SegmentFeatureParams(fecha_modelo=date(2024, 2, 29), window_months=12)


def observed(
    shop: Shop, name: str, params: SegmentFeatureParams, drawn: Data = SHOPPING
) -> pd.DataFrame:
    keys = {"period": ["first"], "rubros": ["rubro", "categoria"], "values": ["column", "value"]}
    return shop.frame(
        collect_rubro_counts(Shop.transactions, Shop.customers, params)[name], drawn, keys[name]
    )


def rubros(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["rubro", "categoria", "customers", "rows"])


def test_the_period_is_that_of_all_transactions(shop: Shop) -> None:
    expected = pd.DataFrame({"first": [at("2022-01-15")], "last": [at("2024-06-30 10:00")]})
    pd.testing.assert_frame_equal(observed(shop, "period", LEAP_DAY), expected, check_dtype=False)


def test_the_period_of_no_transactions_is_missing(shop: Shop) -> None:
    found = observed(shop, "period", LEAP_DAY, Data([], []))
    assert found.isna().to_dict("records") == [{"first": True, "last": True}]


def test_rubros_up_to_the_date_are_listed_with_buyers_and_rows_of_the_window(shop: Shop) -> None:
    expected = rubros(
        ("cine", "CINE", 0, 0),
        ("farmacia", "FARMACIA", 1, 3),
        ("farmacia", "Farmacia", 1, 1),
        ("ropa", "Ropa", 1, 1),
    )
    pd.testing.assert_frame_equal(observed(shop, "rubros", LEAP_DAY), expected)


def test_without_a_date_the_window_ends_with_the_last_day_of_the_data(shop: Shop) -> None:
    expected = rubros(
        ("cine", "CINE", 0, 0),
        ("farmacia", "FARMACIA", 1, 2),
        ("farmacia", "Farmacia", 0, 0),
        ("ropa", "Ropa", 1, 2),
    )
    found = observed(shop, "rubros", SegmentFeatureParams(window_months=5))
    pd.testing.assert_frame_equal(found, expected)


def test_without_a_window_everything_up_to_the_date_counts(shop: Shop) -> None:
    params = SegmentFeatureParams(fecha_modelo=date(2024, 1, 31), window_months=None)
    expected = rubros(
        ("cine", "CINE", 1, 1), ("farmacia", "FARMACIA", 1, 1), ("farmacia", "Farmacia", 1, 1)
    )
    pd.testing.assert_frame_equal(observed(shop, "rubros", params), expected)


def test_values_are_counted_over_the_purchases_of_the_window(shop: Shop) -> None:
    params = LEAP_DAY.model_copy(update={"categoricals": {"canal": 2, "tienda": 5, "ciudad": 3}})
    expected = pd.DataFrame(
        {
            "value": ["APP", "WEB", "7", "8"],
            "rows": [2, 1, 1, 1],
            "column": ["canal", "canal", "tienda", "tienda"],
        }
    )
    pd.testing.assert_frame_equal(observed(shop, "values", params), expected)


@pytest.mark.parametrize("configured", [{}, {"ciudad": 3}])
def test_without_a_categorical_in_the_data_values_are_an_empty_table_of_the_same_columns(
    shop: Shop, configured: dict[str, int]
) -> None:
    params = LEAP_DAY.model_copy(update={"categoricals": configured})
    table = collect_rubro_counts(Shop.transactions, Shop.customers, params)["values"]
    assert {name: str(kind) for name, kind in table.schema().items()} == {
        "value": "string",
        "rows": "int64",
        "column": "string",
    }
    assert shop.rows(table, SHOPPING) == []
