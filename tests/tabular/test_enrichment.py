import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from tests.tabular.cases import CONFIGURED, loan

from clientela.features.table_settings import TabularFeatureParams

Features = Callable[..., pd.DataFrame]


def test_every_group_makes_its_columns(features: Features) -> None:
    found = features(loan()).iloc[0]
    made = {
        "deuda": 30.0,
        "libre": 90.0,
        "cuota_por_edad": 300.0,
        "carga": 0.3,
        "log_saldo": math.log(21),
        "grupo_edad": "25 a 40",
        "fecha_mes": 3.0,
        "fecha_dia_semana": 0.0,
        "fecha_hora": 14.0,
        "antiguedad_dias": 9.0,
        "saldo_ausente": 0.0,
        "tendencia_ausente": 0.0,
    }
    assert found[list(made)].to_dict() == pytest.approx(made)


def test_missing_operands_make_missing_columns_and_never_zeros(features: Features) -> None:
    found = features(loan(saldo=None, edad=None, fecha=None)).iloc[0]
    lost = [
        "deuda",
        "cuota_por_edad",
        "carga",
        "log_saldo",
        "grupo_edad",
        "fecha_mes",
        "fecha_hora",
    ]
    assert found[[*lost, "antiguedad_dias"]].isna().all()
    assert found["libre"] == 90.0
    assert found["saldo_ausente"] == 1.0


def test_a_ratio_to_nothing_is_missing(features: Features) -> None:
    assert features(loan(salario=0))["carga"].isna().all()


def test_a_negative_amount_counts_as_nothing_in_a_logarithm(features: Features) -> None:
    assert features(loan(saldo=-7.0)).loc[0, "log_saldo"] == 0.0


def test_amounts_beyond_all_measure_are_missing_instead_of_infinite(
    features: Features, configured: Callable[..., TabularFeatureParams]
) -> None:
    squared = {"products": {"columns": {"cuadrado": ["saldo", "saldo"]}}}
    assert (
        features(loan(saldo=1e200), params=configured(enrichment=squared))["cuadrado"].isna().all()
    )


@pytest.mark.parametrize(
    ("age", "band"),
    [(18, "menos de 25"), (25, "25 a 40"), (39, "25 a 40"), (40, "40 o más"), (100, "40 o más")],
)
def test_a_band_begins_at_its_edge(features: Features, age: int, band: str) -> None:
    assert features(loan(edad=age)).loc[0, "grupo_edad"] == band


@pytest.mark.parametrize(
    ("group", "made"),
    [
        ("differences", {"libre"}),
        ("products", {"cuota_por_edad"}),
        ("ratios", {"carga"}),
        ("logs", {"log_saldo"}),
        ("bands", {"grupo_edad"}),
        ("dates", {"fecha_mes", "fecha_dia_semana", "fecha_hora", "antiguedad_dias"}),
        ("missing_flags", {"saldo_ausente", "tendencia_ausente"}),
    ],
)
def test_each_group_can_be_switched_off(
    features: Features,
    configured: Callable[..., TabularFeatureParams],
    group: str,
    made: set[str],
) -> None:
    enrichment: dict[str, Any] = CONFIGURED["enrichment"]
    off = enrichment | {group: enrichment[group] | {"enabled": False}}
    with_it, without = features(loan()), features(loan(), params=configured(enrichment=off))
    assert set(with_it.columns) - set(without.columns) == made
    pd.testing.assert_frame_equal(with_it[without.columns], without)
