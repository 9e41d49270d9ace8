import math
from datetime import date, datetime
from decimal import Decimal

import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.oracle import expected_features
from tests.features.tables import Engine, Person, Retailer, Tx, at, retailers

from clientela.features.settings import FeatureParams
from clientela.features.transactions import (
    Cutoff,
    add_inactive_customers,
    age_in_years,
    customer_features,
    extended_columns,
    required_columns,
    rule_columns,
)

TECH = FeatureParams(category="TECNOLOGÍA")
LAST = Cutoff("last_transaction", None, 3)
LEAP_DAY = Cutoff("calendar", date(2024, 2, 29), 3)
CUTOFFS = [
    LAST,
    Cutoff("last_transaction", None, 1),
    LEAP_DAY,
    Cutoff("calendar", date(2024, 5, 31), 3),
    Cutoff("calendar", date(2023, 3, 1), 6),
]
PARAMS = [
    TECH,
    FeatureParams(category="tecnología", points_balance="snapshot", purchase_types=("COMPRA",)),
    FeatureParams(category="ropa", target_months=6, window_months=(1, 2), category_months=9),
    FeatureParams(category="hogar", target_months=12, window_months=(6, 12)),
]
WORKED_EXAMPLE = Retailer(
    [
        Tx("ana", at("2023-02-28 10:00"), "tecnologia", Decimal("100.00"), 10),
        Tx("ana", at("2023-11-29"), "ropa", Decimal("49.90"), 5),
        Tx("ana", at("2024-01-15"), "tecnologia", Decimal("300.10"), 30),
        Tx("ana", at("2024-02-20"), "tecnologia", Decimal("-100.10"), -8, "DEVOLUCION"),
        Tx("ana", at("2024-02-29"), "tecnologia", Decimal("999.00"), 99),
        Tx("ana", at("2024-05-31"), "hogar", Decimal("20.00"), None),
        Tx("beto", at("2024-01-01"), "ropa", Decimal("80.00"), 8),
    ],
    [
        Person("ana", date(1980, 2, 29), 4, 200),
        Person("beto", None, None, 50),
        Person("celia", date(1990, 1, 1), 2, 10),
    ],
)


def features_of(cutoff: Cutoff, params: FeatureParams) -> ir.Table:
    return customer_features(Engine.transactions, Engine.customers, cutoff, params)


def test_a_worked_example_of_the_required_features(engine: Engine) -> None:
    required = FeatureParams(category="TECNOLOGÍA", extended=False)
    found = engine.by_customer(features_of(LAST, required), *WORKED_EXAMPLE)
    assert found["ana"] == pytest.approx(
        {
            "num_tx_total": 4,
            "total_gasto": 349.90,
            "recencia_dias": 9,
            "log_num_tx_total": math.log(5),
            "log_total_gasto": math.log(350.90),
            "num_tx_3m": 3,
            "gasto_3m": 249.90,
            "puntos_ganados_3m": 35,
            "puntos_redimidos_3m": 8,
            "num_tx_6m": 3,
            "gasto_6m": 249.90,
            "puntos_ganados_6m": 35,
            "puntos_redimidos_6m": 8,
            "gasto_tecnologia_12m": 300.00,
            "pct_tecnologia_12m": 300.00 / 349.90,
            "compra_tecnologia": 1,
            "avg_gasto_tecnologia_3m": 200.00 / 3,
            "avg_gasto_tecnologia_6m": 200.00 / 6,
            "edad": 44,
            "estrato_social": 4,
            "saldo_puntos": 101,
            "sin_historial": 0,
            "compras_tecnologia_3m": 1,
        },
        rel=1e-12,
    )
    silent = dict.fromkeys(found["ana"], 0.0)
    assert found["beto"] == silent | {"sin_historial": 1, "saldo_puntos": 50 - 8}
    assert set(found) == {"ana", "beto"}


def test_a_worked_example_of_the_extended_features(engine: Engine) -> None:
    found = engine.by_customer(features_of(LEAP_DAY, TECH), *WORKED_EXAMPLE)["ana"]
    assert {name: found[name] for name in extended_columns(TECH)} == pytest.approx(
        {
            "compras_tecnologia_6m": 1,
            "compras_tecnologia_12m": 2,
            "compras_tecnologia_mismo_trimestre": 1,
            "recencia_tecnologia_dias": 45,
            "antiguedad_dias": 366,
            "dias_entre_compras": (366 - 9) / 3,
            "ticket_promedio": 349.90 / 4,
            "tendencia_gasto_3m": 2.0,
            "rubros_distintos_12m": 2,
            "compras_tecnologia_ultimo_mes": 0,
            "compras_tecnologia_trimestre_2": 0,
            "compras_tecnologia_trimestre_3": 0,
            "compras_tecnologia_total": 2,
            "compras_tecnologia_por_trimestre": 0.5,
            "proporcion_compras_tecnologia": 2 / 4,
            "dias_entre_compras_tecnologia": 321,
            "atraso_tecnologia": 45 / 321,
        },
        rel=1e-12,
    )


@settings(max_examples=20, deadline=None)
@given(retailers(), st.sampled_from(CUTOFFS), st.sampled_from(PARAMS))
def test_every_feature_agrees_with_the_oracle(
    engine: Engine, retailer: Retailer, cutoff: Cutoff, params: FeatureParams
) -> None:
    found = engine.by_customer(features_of(cutoff, params), *retailer)
    names = required_columns(params) + rule_columns(params) + extended_columns(params)
    histories = retailer.by_customer()
    assert found.keys() == histories.keys()
    for key, mine in histories.items():
        expected = expected_features(mine, retailer.person(key), cutoff, params)
        assert list(found[key]) == names
        assert found[key] == pytest.approx({name: expected[name] for name in names}, rel=1e-12)


@pytest.mark.parametrize(
    ("category", "slug"), [("TECNOLOGÍA", "tecnologia"), ("DRUG GM", "drug_gm")]
)
def test_required_columns_are_those_of_the_requirement(category: str, slug: str) -> None:
    assert required_columns(FeatureParams(category=category)) == [
        "num_tx_total",
        "total_gasto",
        "recencia_dias",
        "log_num_tx_total",
        "log_total_gasto",
        "num_tx_3m",
        "gasto_3m",
        "puntos_ganados_3m",
        "puntos_redimidos_3m",
        "num_tx_6m",
        "gasto_6m",
        "puntos_ganados_6m",
        "puntos_redimidos_6m",
        f"gasto_{slug}_12m",
        f"pct_{slug}_12m",
        f"compra_{slug}",
        f"avg_gasto_{slug}_3m",
        f"avg_gasto_{slug}_6m",
        "edad",
        "estrato_social",
        "saldo_puntos",
    ]


def test_features_are_float64_and_the_extended_ones_can_be_switched_off() -> None:
    short = features_of(LAST, FeatureParams(category="ropa", extended=False))
    whole = features_of(LAST, FeatureParams(category="ropa"))
    names = required_columns(FeatureParams(category="ropa"))
    assert list(short.columns) == ["id_cliente", *names, "sin_historial", "compras_ropa_3m"]
    assert list(whole.columns)[: len(short.columns)] == list(short.columns)
    assert {str(whole[name].type()) for name in whole.columns[1:]} == {"float64"}


def test_a_window_of_the_same_length_as_the_category_window_names_each_column_once() -> None:
    params = FeatureParams(category="ropa", window_months=(3, 12))
    names = extended_columns(params)
    assert len(set(names)) == len(names)
    assert list(features_of(LAST, params).columns)[-len(names) :] == names


def test_without_any_known_customer_every_transaction_still_counts(engine: Engine) -> None:
    known = engine.by_customer(features_of(LAST, TECH), *WORKED_EXAMPLE)["ana"]
    unknown = engine.by_customer(features_of(LAST, TECH), WORKED_EXAMPLE.transactions)["ana"]
    assert unknown == known | {"edad": 0, "estrato_social": 0, "saldo_puntos": 0}


def test_extra_columns_of_either_table_change_nothing(engine: Engine) -> None:
    noisy = customer_features(
        Engine.transactions.mutate(canal=1, edad=2, saldo_puntos=3),
        Engine.customers.mutate(edad=7, num_tx_total=8, fecha=9, genero=10),
        LAST,
        TECH,
    )
    assert engine.by_customer(noisy, *WORKED_EXAMPLE) == engine.by_customer(
        features_of(LAST, TECH), *WORKED_EXAMPLE
    )


@pytest.mark.parametrize(
    ("recent", "refunded", "earlier", "share", "trend"),
    [
        ("50.00", "-50.00", "0.00", 1.0, 0.0),
        ("100.00", "-90.00", "0.00", 1.0, 2.0),
        ("-7.00", "0.00", "0.00", 0.0, 0.0),
        ("-7.00", "-90.00", "40.00", 0.0, 0.0),
        ("100.00", "0.00", "-99.00", 1.0, 2.0),
        ("30.00", "30.00", "60.00", 0.25, 1.0),
    ],
)
def test_shares_and_trends_stay_in_bounds_whatever_refunds_do(
    engine: Engine, recent: str, refunded: str, earlier: str, share: float, trend: float
) -> None:
    rows = [
        Tx("ana", at("2024-01-10"), "tecnologia", Decimal(recent)),
        Tx("ana", at("2024-01-20"), "ropa", Decimal(refunded)),
        Tx("ana", at("2023-10-01"), "ropa", Decimal(earlier)),
    ]
    found = engine.by_customer(features_of(LEAP_DAY, TECH), rows)["ana"]
    assert (found["pct_tecnologia_12m"], found["tendencia_gasto_3m"]) == (share, trend)
    assert found["gasto_tecnologia_12m"] == float(recent)


def test_refunds_beyond_purchases_are_a_negative_amount_with_a_logarithm_of_zero(
    engine: Engine,
) -> None:
    rows = [Tx("ana", at("2024-01-10"), "tecnologia", Decimal("-50.00"))]
    found = engine.by_customer(features_of(LEAP_DAY, TECH), rows)["ana"]
    assert (found["total_gasto"], found["log_total_gasto"], found["compra_tecnologia"]) == (
        -50,
        0,
        0,
    )


def test_customers_without_a_transaction_are_added_as_silent(engine: Engine) -> None:
    everybody = add_inactive_customers(features_of(LAST, TECH), Engine.customers)
    found = engine.by_customer(everybody, *WORKED_EXAMPLE)
    assert found.keys() == {"ana", "beto", "celia"}
    assert found["celia"] == dict.fromkeys(found["ana"], 0.0) | {"sin_historial": 1.0}


@pytest.mark.parametrize(
    ("day", "years"),
    [
        (at("2023-02-28 23:59"), 42),
        (at("2023-03-01"), 43),
        (at("2024-02-28"), 43),
        (at("2024-02-29"), 44),
    ],
)
def test_who_was_born_on_a_leap_day_turns_older_on_the_first_of_march(
    engine: Engine, day: datetime, years: int
) -> None:
    dated = Engine.transactions.join(Engine.customers, "id_cliente")
    ages = dated.select("id_cliente", age=age_in_years(dated["fecha_nacimiento"], dated["fecha"]))
    rows = engine.rows(ages, [Tx("ana", day)], [Person("ana", date(1980, 2, 29))])
    assert rows == [{"id_cliente": "ana", "age": years}]
