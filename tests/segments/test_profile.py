from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from clientela.features.segment_columns import ColumnLayout, Rubro, SegmentReportParams
from clientela.models.segment_profile import MISSING, POOLED, build_segment_profile
from clientela.models.segmentation import SIN_ACTIVIDAD, SegmentIdentity

LAYOUT = ColumnLayout(
    fecha_modelo=date(2024, 8, 7),
    rubros=(
        Rubro(slug="farmacia", label="Farmacia", members=()),
        Rubro(slug="hogar", label="Hogar", members=()),
    ),
)
IDENTITY = SegmentIdentity(
    fecha_modelo=LAYOUT.fecha_modelo,
    layout=LAYOUT,
    columns=(),
    transformed=True,
    centers=((), ()),
    ids=(0, 1),
    names={0: "Farmacia", 1: "Hogar"},
    name_reasons={},
)


@pytest.fixture
def features():
    return pd.DataFrame(
        {
            "id_cliente": ["01", "02", "03", "04", "05"],
            "num_tx": [4.0, 2.0, 6.0, 8.0, 1.0],
            "gasto_total": [100.0, 50.0, 40.0, 210.0, 0.0],
            "ticket_promedio": [25.0, 25.0, 10.0, 30.0, 0.0],
            "recencia_dias": [3.0, 9.0, 1.0, 2.0, 80.0],
            "gasto_farmacia": [100.0, 60.0, 0.0, 40.0, 0.0],
            "gasto_hogar": [0.0, -10.0, 40.0, 160.0, 0.0],
            "frecuencia_farmacia": [4.0, 2.0, 0.0, 3.0, 0.0],
            "frecuencia_hogar": [0.0, 0.0, 6.0, 5.0, 0.0],
            "score_farmacia": [1.0, 0.5, 0.0, 0.25, 0.0],
            "score_hogar": [0.0, 0.0, 0.5, 1.0, 0.0],
            "edad": [24.0, 25.0, np.nan, 70.0, 40.0],
            "genero": pd.Series(["F", "F", "M", None, "F"], dtype="str"),
            "estrato_social": [3.0, 3.0, 2.5, 1.0, np.nan],
        }
    )


@pytest.fixture
def members():
    return pd.DataFrame(
        {
            "id_cliente": ["05", "04", "03", "02", "01"],
            "cluster_id": [SIN_ACTIVIDAD, 1, 1, 0, 0],
        }
    )


def profile(features, members, min_customers=1):
    params = SegmentReportParams(min_customers=min_customers)
    return build_segment_profile(features, members, IDENTITY, params)


def test_one_row_per_segment_with_size_and_value(features, members):
    expected = pd.DataFrame(
        {
            "cluster_id": [0, 1, SIN_ACTIVIDAD],
            "cluster_nombre": ["Farmacia", "Hogar", "Sin actividad"],
            "clientes": [2, 2, 1],
            "clientes_share": [0.4, 0.4, 0.2],
            "gasto": [150.0, 250.0, 0.0],
            "gasto_share": [0.375, 0.625, 0.0],
            "gasto_medio": [75.0, 125.0, 0.0],
            "ticket_mediano": [25.0, 20.0, 0.0],
            "compras_mediana": [3.0, 7.0, 1.0],
            "recencia_mediana": [6.0, 1.5, 80.0],
        }
    )
    assert_frame_equal(profile(features, members)["segments"], expected)


def test_one_row_per_active_segment_and_rubro_with_lift_over_all_active(features, members):
    expected = pd.DataFrame(
        {
            "cluster_id": [0, 0, 1, 1],
            "slug": ["farmacia", "hogar"] * 2,
            "label": ["Farmacia", "Hogar"] * 2,
            "participacion": [1.0, 0.0, 40 / 240, 200 / 240],
            "lift": [1.0 / 0.5, 0.0, (40 / 240) / 0.5, (200 / 240) / 0.5],
            "score_medio": [0.75, 0.0, 0.125, 0.75],
            "compradores_share": [1.0, 0.0, 0.5, 1.0],
        }
    )
    assert_frame_equal(profile(features, members)["rubros"], expected)


def test_a_rubro_where_nobody_bought_has_no_lift(features, members):
    nothing = features.assign(gasto_hogar=0.0)
    rubros = profile(nothing, members)["rubros"].set_index(["cluster_id", "slug"])
    assert rubros.loc[(1, "hogar"), "participacion"] == 0
    assert rubros["lift"].isna().tolist() == [False, True, False, True]


def test_one_row_per_segment_attribute_and_value(features, members):
    found = profile(features, members)["demographics"]
    rows = found.drop(columns="share").itertuples(index=False, name=None)
    assert list(rows) == [
        (0, "edad", "menos de 25", 1),
        (0, "edad", "25-34", 1),
        (0, "genero", "F", 2),
        (0, "estrato_social", "3", 2),
        (1, "edad", "65 o más", 1),
        (1, "edad", MISSING, 1),
        (1, "genero", "M", 1),
        (1, "genero", MISSING, 1),
        (1, "estrato_social", "1", 1),
        (1, "estrato_social", "2.5", 1),
        (SIN_ACTIVIDAD, "edad", "35-44", 1),
        (SIN_ACTIVIDAD, "genero", "F", 1),
        (SIN_ACTIVIDAD, "estrato_social", MISSING, 1),
    ]
    assert found["share"].tolist() == [0.5, 0.5, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1]


def test_small_segments_show_no_demographics_and_rare_values_are_pooled(features, members):
    found = profile(features, members, min_customers=2)["demographics"]
    assert list(found.itertuples(index=False, name=None)) == [
        (0, "edad", POOLED, 2, 1.0),
        (0, "genero", "F", 2, 1.0),
        (0, "estrato_social", "3", 2, 1.0),
        (1, "edad", POOLED, 2, 1.0),
        (1, "genero", POOLED, 2, 1.0),
        (1, "estrato_social", POOLED, 2, 1.0),
    ]


def test_one_rare_value_takes_the_next_rarest_with_it():
    genders = ["F"] * 9 + ["M"] * 5 + ["X"]
    found = profile(*only_gender(genders), min_customers=3)["demographics"]
    assert found[["value", "clientes"]].to_numpy().tolist() == [["F", 9], [POOLED, 6]]


@settings(max_examples=20, deadline=None)
@given(
    genders=st.lists(st.sampled_from(["F", "M", "X", None]), min_size=1, max_size=40),
    least=st.integers(1, 12),
)
def test_no_cell_is_smaller_than_allowed_and_none_can_be_inferred(genders, least):
    found = profile(*only_gender(genders), min_customers=least)["demographics"]
    shown = len(genders) >= least and any(genders)
    assert found["clientes"].sum() == (len(genders) if shown else 0)
    assert (found["clientes"] >= least).all()


def only_gender(genders):
    rows = len(genders)
    ids = [f"{place:03}" for place in range(rows)]
    numeric = ["num_tx", "gasto_total", "ticket_promedio", "recencia_dias"]
    numeric += [f"{kind}_{s}" for kind in ("gasto", "frecuencia", "score") for s in LAYOUT.slugs]
    features = pd.DataFrame(dict.fromkeys(numeric, np.ones(rows)))
    features = features.assign(id_cliente=ids, genero=pd.Series(genders, dtype="str"))
    return features, pd.DataFrame({"id_cliente": ids, "cluster_id": 0})


@pytest.mark.parametrize("absent", ["column", "values"])
def test_attributes_that_nobody_has_are_left_out(features, members, absent):
    names = ["edad", "genero", "estrato_social"]
    bare = features.drop(columns=names) if absent == "column" else features.assign(edad=np.nan)
    found = profile(bare, members)["demographics"]
    expected = [] if absent == "column" else ["genero", "estrato_social"]
    assert found["attribute"].drop_duplicates().tolist() == expected
    assert found.columns.tolist() == ["cluster_id", "attribute", "value", "clientes", "share"]


@pytest.mark.parametrize("seed", range(5))
def test_row_order_changes_nothing(features, members, seed):
    amounts = features.assign(gasto_total=[0.1, 0.2, 0.3, 1e9, 0.7])
    shuffled = amounts.sample(frac=1, random_state=seed)
    found = profile(shuffled, members.sample(frac=1, random_state=seed + 1), min_customers=2)
    for name, table in profile(amounts, members, min_customers=2).items():
        assert_frame_equal(found[name], table, check_exact=True)


def test_only_customers_without_activity_leave_no_rubros(features, members):
    found = profile(features, members.assign(cluster_id=SIN_ACTIVIDAD))
    assert found["rubros"].empty
    assert found["segments"]["cluster_nombre"].tolist() == ["Sin actividad"]
