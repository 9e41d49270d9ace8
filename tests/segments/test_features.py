from datetime import date
from decimal import Decimal

import ibis.expr.types as ir
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.tables import at
from tests.segments.oracle import Oracle
from tests.segments.tables import (
    CATEGORICALS,
    FECHA_MODELO,
    LAYOUT,
    UNPOOLED,
    Data,
    Person,
    Shop,
    Tx,
    data,
    rubro,
)

from clientela.features.rubros import aggregate_rubro_features, list_rubro_feature_columns
from clientela.features.segment_columns import REST, ColumnLayout, Rubro, SegmentFeatureParams

YEAR = SegmentFeatureParams()
EVER = SegmentFeatureParams(window_months=None)
TWO_MONTHS = SegmentFeatureParams(window_months=2, pool_rest=False)
ONE_RUBRO = ColumnLayout(fecha_modelo=FECHA_MODELO, rubros=(rubro("ropa"),))
WORKED_EXAMPLE = Data(
    [
        Tx("ana", at("2024-02-29 18:00"), "farmacia", Decimal("30.00"), "APP"),
        Tx("ana", at("2024-02-10"), "farmacia", Decimal("20.50"), "App"),
        Tx("ana", at("2024-02-12"), "farmacia", Decimal("-10.50"), "APP"),
        Tx("ana", at("2023-12-31"), "moda", Decimal("60.00"), "TIENDA"),
        Tx("ana", at("2023-02-28 23:59"), "ropa", Decimal("999.00"), "APP"),
        Tx("ana", at("2024-03-01"), "ropa", Decimal("999.00"), "APP"),
        Tx("beto", at("2024-01-01"), "farmacia", Decimal("90.00"), "WEB"),
        Tx("beto", at("2024-01-31"), "ropa", Decimal("-5.00"), "WEB"),
    ],
    [Person("ana", date(1980, 3, 1), "F", 4), Person("celia", None, "M", 2)],
)


def features(layout: ColumnLayout = LAYOUT, params: SegmentFeatureParams = YEAR) -> ir.Table:
    return aggregate_rubro_features(Shop.transactions, Shop.customers, layout, params)


def test_a_worked_example(shop: Shop) -> None:
    layout = ColumnLayout(
        fecha_modelo=FECHA_MODELO,
        rubros=LAYOUT.rubros[:2],
        categoricals={"canal": CATEGORICALS["canal"]},
    )
    found = shop.frame(features(layout), WORKED_EXAMPLE, ["id_cliente"])
    expected = pd.DataFrame(
        {
            "id_cliente": ["ana", "beto", "celia"],
            "num_tx": [3.0, 1.0, 0.0],
            "gasto_total": [100.0, 85.0, 0.0],
            "ticket_promedio": [110.5 / 3, 90.0, 0.0],
            "recencia_dias": [1.0, 60.0, 366.0],
            "rubros_distintos": [2.0, 1.0, 0.0],
            "frecuencia_farmacia": [2.0, 1.0, 0.0],
            "gasto_farmacia": [40.0, 90.0, 0.0],
            "monto_promedio_farmacia": [25.25, 90.0, 0.0],
            "participacion_farmacia": [0.4, 1.0, 0.0],
            "recencia_farmacia_dias": [1.0, 60.0, 366.0],
            "score_farmacia": [0.5, 1.0, 0.0],
            "frecuencia_ropa": [1.0, 0.0, 0.0],
            "gasto_ropa": [60.0, -5.0, 0.0],
            "monto_promedio_ropa": [60.0, 0.0, 0.0],
            "participacion_ropa": [0.6, 0.0, 0.0],
            "recencia_ropa_dias": [61.0, 366.0, 366.0],
            "score_ropa": [1.0, 0.0, 0.0],
            "participacion_canal_app": [2 / 3, 0.0, 0.0],
            "participacion_canal_tienda": [1 / 3, 0.0, 0.0],
            "rubro_top": ["Ropa", "Farmacia", None],
            "edad": [44.0, None, None],
            "genero": ["F", None, "M"],
            "estrato_social": [4.0, None, 2.0],
        }
    )
    pd.testing.assert_frame_equal(found, expected)


@settings(max_examples=25, deadline=None)
@given(
    data(),
    st.sampled_from([(LAYOUT, YEAR), (LAYOUT, EVER), (UNPOOLED, TWO_MONTHS), (ONE_RUBRO, YEAR)]),
)
def test_every_feature_agrees_with_the_oracle(
    shop: Shop, drawn: Data, case: tuple[ColumnLayout, SegmentFeatureParams]
) -> None:
    found = shop.by_customer(features(*case), drawn)
    expected = Oracle(drawn, *case).expected()
    numbers = list_rubro_feature_columns(case[0])
    assert found.keys() == expected.keys()
    for name, row in found.items():
        assert list(row) == list(expected[name])
        assert [row.pop(number) for number in numbers] == pytest.approx(
            [expected[name].pop(number) for number in numbers], rel=1e-12
        )
        assert row == expected[name]


def test_columns_stand_in_the_order_of_the_layout_and_numbers_are_float64() -> None:
    table = features()
    assert list(table.columns) == [
        "id_cliente",
        *list_rubro_feature_columns(LAYOUT),
        "rubro_top",
        "edad",
        "genero",
        "estrato_social",
    ]
    kinds = {name: str(kind) for name, kind in table.schema().items()}
    assert {
        kinds[name] for name in [*list_rubro_feature_columns(LAYOUT), "edad", "estrato_social"]
    } == {"float64"}
    assert {kinds[name] for name in ("id_cliente", "rubro_top", "genero")} == {"string"}


def test_feature_columns_go_rubro_by_rubro_and_then_value_by_value() -> None:
    layout = ColumnLayout(
        fecha_modelo=FECHA_MODELO,
        rubros=(rubro("ropa"),),
        categoricals={"canal": CATEGORICALS["canal"]},
    )
    assert list_rubro_feature_columns(layout) == [
        "num_tx",
        "gasto_total",
        "ticket_promedio",
        "recencia_dias",
        "rubros_distintos",
        "frecuencia_ropa",
        "gasto_ropa",
        "monto_promedio_ropa",
        "participacion_ropa",
        "recencia_ropa_dias",
        "score_ropa",
        "participacion_canal_app",
        "participacion_canal_tienda",
    ]


@pytest.mark.parametrize(("params", "days"), [(YEAR, 366), (TWO_MONTHS, 60), (EVER, 3)])
def test_who_never_bought_has_the_whole_window_as_recency(
    shop: Shop, params: SegmentFeatureParams, days: int
) -> None:
    drawn = Data([Tx("ana", at("2024-02-27"), "ropa")], [Person("celia")])
    found = shop.by_customer(features(UNPOOLED, params), drawn)
    assert found["celia"]["recencia_dias"] == found["celia"]["recencia_ropa_dias"] == days
    assert (found["ana"]["recencia_ropa_dias"], found["ana"]["recencia_farmacia_dias"]) == (3, days)


@pytest.mark.parametrize(("params", "inside"), [(YEAR, 0), (EVER, 1)])
def test_the_window_ends_with_the_date_of_the_model_and_reaches_back_whole_months(
    shop: Shop, params: SegmentFeatureParams, inside: int
) -> None:
    moments = ["2023-02-28 23:59:59", "2023-03-01", "2024-02-29 23:59:59", "2024-03-01"]
    drawn = Data([Tx("ana", at(moment)) for moment in moments], [])
    assert shop.by_customer(features(params=params), drawn)["ana"]["num_tx"] == 2 + inside


def test_rubros_outside_the_layout_are_pooled_where_there_is_a_rest(shop: Shop) -> None:
    drawn = Data([Tx("ana", at("2024-02-01"), name) for name in ("cine", "nuevo", "ropa")], [])
    found = shop.by_customer(features(), drawn)["ana"]
    assert (found["frecuencia_otros"], found["rubros_distintos"], found["num_tx"]) == (2, 2, 3)


def test_rubros_outside_the_layout_count_in_totals_alone_where_there_is_none(shop: Shop) -> None:
    drawn = Data(
        [Tx("ana", at("2024-02-01"), "cine", Decimal(90)), Tx("ana", at("2024-01-01"), "ropa")], []
    )
    found = shop.by_customer(features(UNPOOLED, TWO_MONTHS), drawn)["ana"]
    assert {name: found[name] for name in list_rubro_feature_columns(UNPOOLED)[:5]} == {
        "num_tx": 2,
        "gasto_total": 91,
        "ticket_promedio": 45.5,
        "recencia_dias": 29,
        "rubros_distintos": 1,
    }
    assert (found["participacion_ropa"], found["rubro_top"]) == (1, "Ropa")


def test_a_rubro_called_otros_of_its_own_does_not_take_in_the_rest(shop: Shop) -> None:
    layout = ColumnLayout(fecha_modelo=FECHA_MODELO, rubros=(rubro("ropa"), rubro(REST)))
    drawn = Data([Tx("ana", at("2024-02-01"), name) for name in ("otros", "cine")], [])
    found = shop.by_customer(features(layout, TWO_MONTHS), drawn)["ana"]
    assert (found["frecuencia_otros"], found["num_tx"]) == (1, 2)


def test_a_rubro_without_members_today_keeps_its_columns(shop: Shop) -> None:
    gone = Rubro(slug="viajes", label="Viajes", members=())
    layout = LAYOUT.model_copy(update={"rubros": (rubro("farmacia"), gone)})
    found = shop.by_customer(features(layout), Data([Tx("ana", at("2024-02-01"))], []))["ana"]
    assert [found[f"{kind}_viajes"] for kind in ("frecuencia", "gasto", "score")] == [0, 0, 0]
    assert found["recencia_viajes_dias"] == 366


def scores(shop: Shop, *spends: int) -> list[float]:
    rows = [Tx(f"c{i}", at("2024-02-01"), "ropa", Decimal(s)) for i, s in enumerate(spends)]
    found = shop.by_customer(features(), Data(rows, [Person("silent")]))
    return [found[f"c{i}"]["score_ropa"] for i in range(len(spends))]


def test_a_score_is_the_share_of_buyers_who_spent_as_much_or_less(shop: Shop) -> None:
    assert scores(shop, 10, 40, 20, 30) == [0.25, 1, 0.5, 0.75]


def test_equal_spends_share_a_score(shop: Shop) -> None:
    assert scores(shop, 10, 10, 50, 50) == [0.5, 0.5, 1, 1]


def test_only_buyers_with_a_positive_net_spend_are_ranked(shop: Shop) -> None:
    rows = [
        Tx("ana", at("2024-02-01"), "ropa", Decimal(10)),
        Tx("beto", at("2024-02-01"), "ropa", Decimal(50)),
        Tx("beto", at("2024-02-02"), "ropa", Decimal(-50)),
        Tx("celia", at("2024-02-01"), "ropa", Decimal(-5)),
        Tx("dario", at("2024-02-01"), "ropa", Decimal(0)),
    ]
    found = shop.by_customer(features(), Data(rows, []))
    assert {name: (row["score_ropa"], row["rubro_top"]) for name, row in found.items()} == {
        "ana": (1.0, "Ropa"),
        "beto": (0.0, None),
        "celia": (0.0, None),
        "dario": (0.0, None),
    }


TIES = {
    "the highest score": ([("farmacia", 9), ("ropa", 5)], "Ropa"),
    "equal scores: the larger spend": ([("farmacia", 80), ("ropa", 60)], "Farmacia"),
    "equal scores and spends: the first label": ([("farmacia", 70), ("ropa", 70)], "Farmacia"),
    "otros never beats another": ([("cine", 99), ("ropa", 1)], "Ropa"),
    "otros alone": ([("cine", 1), ("ropa", -1)], "Otros"),
    "nothing": ([("cine", -1), ("ropa", -1)], None),
}


@pytest.mark.parametrize(("bought", "label"), TIES.values(), ids=TIES)
def test_rubro_top_is(shop: Shop, bought: list[tuple[str, int]], label: str | None) -> None:
    rows = [Tx("ana", at("2024-02-01"), name, Decimal(amount)) for name, amount in bought]
    rival = Tx("beto", at("2024-02-01"), "farmacia", Decimal(10))
    found = shop.by_customer(features(), Data([*rows, rival], []))["ana"]
    assert found["rubro_top"] == label


def test_without_any_rubro_but_the_rest_it_is_the_top(shop: Shop) -> None:
    layout = LAYOUT.model_copy(update={"rubros": LAYOUT.rubros[-1:]})
    found = shop.by_customer(features(layout), Data([Tx("ana", at("2024-02-01"))], []))["ana"]
    assert (found["rubro_top"], found["participacion_otros"]) == ("Otros", 1)


def test_values_of_a_column_that_the_data_lack_have_shares_of_zero(shop: Shop) -> None:
    narrow = Shop.transactions.drop("canal", "tienda")
    table = aggregate_rubro_features(narrow, Shop.customers, LAYOUT, YEAR)
    assert table.columns == features().columns
    found = shop.by_customer(table, WORKED_EXAMPLE)
    whole = shop.by_customer(features(), WORKED_EXAMPLE)
    shares = [
        name for name in list_rubro_feature_columns(LAYOUT) if "canal" in name or "tienda" in name
    ]
    assert found == {key: row | dict.fromkeys(shares, 0.0) for key, row in whole.items()}


def test_values_are_shares_of_purchases_with_spellings_together(shop: Shop) -> None:
    canals = ["APP", "App", "TIENDA", "WEB", None]
    rows = [Tx("ana", at("2024-02-01"), canal=canal, tienda=7) for canal in canals]
    refund = Tx("ana", at("2024-02-02"), "ropa", Decimal(-1), "APP", 7)
    found = shop.by_customer(features(), Data([*rows, refund], []))["ana"]
    names = ("participacion_canal_app", "participacion_canal_tienda", "participacion_tienda_7")
    assert [found[name] for name in names] == [0.4, 0.2, 1.0]


def test_extra_columns_of_either_table_change_nothing(shop: Shop) -> None:
    noisy = aggregate_rubro_features(
        Shop.transactions.mutate(genero=1, num_tx=2, _cents=3),
        Shop.customers.mutate(edad=7, num_tx=8, fecha=9, rubro_top=10),
        LAYOUT,
        YEAR,
    )
    assert shop.by_customer(noisy, WORKED_EXAMPLE) == shop.by_customer(features(), WORKED_EXAMPLE)


def test_an_empty_window_leaves_every_known_customer_a_row(shop: Shop) -> None:
    found = shop.by_customer(features(params=EVER), Data([], [Person("celia", genero="F")]))
    assert set(found) == {"celia"}
    assert {found["celia"][name] for name in list_rubro_feature_columns(LAYOUT)} == {0.0}
    assert found["celia"]["genero"] == "F"
