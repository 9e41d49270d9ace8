from datetime import date

import numpy as np
import pandas as pd
import pytest

from clientela.exceptions import ModelFileError
from clientela.features.segment_columns import (
    ColumnLayout,
    Rubro,
    build_matrix,
    list_matrix_columns,
)

LAYOUT = ColumnLayout(
    fecha_modelo=date(2024, 6, 30),
    rubros=(
        Rubro(slug="farmacia", label="Farmacia", members=("farmacia",)),
        Rubro(slug="otros", label="Otros", members=("hogar", "ropa")),
    ),
    categoricals={"canal": {"App": "app", "Tienda": "tienda"}},
)


def test_columns_follow_the_groups_and_the_layout():
    assert list_matrix_columns(LAYOUT, ["recencia", "categoricas", "participacion", "totales"]) == [
        "recencia_farmacia_dias",
        "recencia_otros_dias",
        "participacion_canal_app",
        "participacion_canal_tienda",
        "participacion_farmacia",
        "participacion_otros",
        "num_tx",
        "gasto_total",
        "ticket_promedio",
        "recencia_dias",
        "rubros_distintos",
    ]


def test_a_group_named_twice_counts_once():
    assert list_matrix_columns(LAYOUT, ["score", "score"]) == ["score_farmacia", "score_otros"]


def test_shares_enter_as_roots_amounts_as_logarithms_and_scores_as_they_are():
    features = pd.DataFrame(
        {
            "participacion_farmacia": [0.25, 1.0],
            "monto_promedio_farmacia": [np.e - 1, -3.0],
            "score_farmacia": [0.5, 0.0],
        }
    )

    found = build_matrix(features, list(features), transformed=True)

    assert found == pytest.approx(np.array([[0.5, 1.0, 0.5], [1.0, 0.0, 0.0]]))


def test_untransformed_columns_enter_as_they_are():
    features = pd.DataFrame({"frecuencia_farmacia": [3.0, 0.0]})

    assert build_matrix(features, ["frecuencia_farmacia"], transformed=False).tolist() == [
        [3.0],
        [0.0],
    ]


def test_a_column_that_is_gone_is_named_with_what_to_run():
    with pytest.raises(ModelFileError, match=r"participacion_joyas.*--pipelines=feature_eng"):
        build_matrix(pd.DataFrame({"num_tx": [1.0]}), ["participacion_joyas"], transformed=True)
