from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.exceptions import ConfigurationError
from clientela.features.segment_columns import ColumnLayout, NameOverride, NamingParams, Rubro
from clientela.models.segment_profile import SegmentName, choose_segment_names
from clientela.models.segmentation import SIN_ACTIVIDAD, SegmentIdentity
from clientela.text import make_slug, normalize_word

LABELS = ("Farmacia", "Supermercado", "Hogar", "Otros")


def layout_for(labels=LABELS):
    rubros = tuple(Rubro(slug=make_slug(label), label=label, members=()) for label in labels)
    return ColumnLayout(fecha_modelo=date(2024, 8, 7), rubros=rubros)


def customers(rows, labels=LABELS):
    """One customer per (segment, shares)."""
    layout = layout_for(labels)
    ids = [f"{place:04}" for place in range(len(rows))]
    shares = pd.DataFrame(
        [of for _, of in rows], columns=[f"participacion_{slug}" for slug in layout.slugs]
    )
    segments = [segment for segment, _ in rows]
    members = pd.DataFrame({"id_cliente": ids, "cluster_id": segments, "cluster_cercano": segments})
    return shares.assign(id_cliente=ids), members, layout


def named(rows, labels=LABELS, overrides=None, previous=None):
    given_names = {
        segment: NameOverride(name=name, reason="Campaña de invierno")
        for segment, name in (overrides or {}).items()
    }
    before = None if previous is None else earlier(previous)
    return choose_segment_names(
        *customers(rows, labels), NamingParams(overrides=given_names), before
    )


def earlier(names):
    return SegmentIdentity(
        fecha_modelo=date(2024, 7, 31),
        layout=layout_for(),
        columns=("participacion_farmacia",),
        transformed=False,
        centers=tuple((0.5,) for _ in names),
        ids=tuple(names),
        names=names,
        name_reasons=dict.fromkeys(names, "datos"),
    )


def texts(found):
    return {segment: name.name for segment, name in found.items()}


THREE = [
    (0, (0.8, 0.2, 0.0, 0.0)),
    (1, (0.1, 0.9, 0.0, 0.0)),
    (2, (0.1, 0.4, 0.5, 0.0)),
]


def test_segments_are_called_by_what_sets_them_apart_not_by_what_is_largest():
    rows = [
        (0, (0.0, 1.0, 0.0, 0.0)),
        (1, (0.4, 0.6, 0.0, 0.0)),
        (2, (0.0, 0.6, 0.4, 0.0)),
    ]
    assert texts(named(rows)) == {0: "Supermercado", 1: "Farmacia", 2: "Hogar"}


def test_the_reason_states_the_shares_that_the_name_rests_on():
    assert named(THREE)[0] == SegmentName(
        name="Farmacia",
        basis="datos",
        reason="Lo que distingue a sus clientes, por la parte media de su gasto: Farmacia 80 %, "
        "frente a 33 % entre todos los activos.",
        of_today="Farmacia",
    )


def test_customers_weigh_alike_and_those_without_activity_do_not_count():
    rows = [*THREE, *[(SIN_ACTIVIDAD, (0.0, 0.0, 0.0, 1.0))] * 50]
    assert named(rows) == named(THREE)


def test_a_taken_name_becomes_two_rubros_for_the_less_distinct_segment():
    rows = [
        (0, (0.5, 0.2, 0.3, 0.0)),
        (1, (0.8, 0.2, 0.0, 0.0)),
        (2, (0.0, 1.0, 0.0, 0.0)),
        (2, (0.0, 1.0, 0.0, 0.0)),
    ]
    found = named([*rows, (2, (0.0, 0.8, 0.2, 0.0))])
    assert texts(found) == {0: "Hogar", 1: "Farmacia", 2: "Supermercado"}
    found = named([(0, (0.7, 0.1, 0.2, 0.0)), *rows[1:]])
    assert texts(found) == {0: "Farmacia y hogar", 1: "Farmacia", 2: "Supermercado"}
    assert "Farmacia 70 %, frente a 38 % entre todos los activos; Hogar 20 %" in found[0].reason


def test_two_rubros_are_not_used_again_the_other_way_round():
    rows = [
        (0, (0.5, 0.0, 0.5, 0.0)),
        (1, (0.5, 0.0, 0.5, 0.0)),
        (2, (0.5, 0.0, 0.5, 0.0)),
        (3, (0.0, 1.0, 0.0, 0.0)),
    ]
    found = texts(named(rows, previous={3: "Hogar y farmacia", 1: "Hogar"}))
    assert found == {
        0: "Farmacia",
        1: "Hogar",
        2: "Farmacia y supermercado",
        3: "Hogar y farmacia",
    }


def test_the_pooled_rest_names_nobody_while_a_rubro_stands_out():
    rows = [(0, (0.4, 0.0, 0.0, 0.6)), (1, (0.1, 0.9, 0.0, 0.0))]
    assert texts(named(rows)) == {0: "Farmacia", 1: "Supermercado"}


def test_the_pooled_rest_names_a_segment_that_only_it_sets_apart():
    rows = [(0, (0.2, 0.2, 0.0, 0.6)), (1, (0.3, 0.7, 0.0, 0.0))]
    assert texts(named(rows))[0] == "Otros"


def test_segments_that_no_rubro_sets_apart_are_called_mixed_and_then_told_apart():
    found = named([(0, (0.5, 0.5, 0.0, 0.0)), (1, (0.49, 0.51, 0.0, 0.0))])
    assert texts(found) == {0: "Compra variada", 1: "Compra variada con supermercado"}
    assert found[0].reason == "Ningún rubro distingue a sus clientes."
    assert found[1].reason == (
        "Ningún rubro distingue a sus clientes. Supermercado 51 %, frente a 50 % entre todos los "
        "activos."
    )


def test_a_single_rubro_leaves_numbers_to_tell_segments_apart():
    found = named([(segment, (1.0,)) for segment in range(4)], labels=("Farmacia",))
    assert list(texts(found).values()) == [
        "Compra variada",
        "Compra variada con farmacia",
        "Compra variada 2",
        "Compra variada 3",
    ]


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("Farmacia", "Hogar", "Farmacia y hogar"),
        ("Farmacia", "Indumentaria", "Farmacia e indumentaria"),
        ("Farmacia", "Higiene", "Farmacia e higiene"),
        ("Farmacia", "Hierbas", "Farmacia y hierbas"),
        ("Farmacia", "TV y audio", "Farmacia con TV y audio"),
        ("Farmacia", "TV", "Farmacia y TV"),
        ("Restaurantes y delivery", "Hogar", "Restaurantes y delivery con hogar"),
    ],
)
def test_two_labels_read_as_spanish(first, second, name):
    rows = [
        (0, (0.9, 0.1, 0.0)),
        (1, (0.8, 0.2, 0.0)),
        (2, (0.0, 0.0, 1.0)),
    ]
    assert texts(named(rows, labels=(first, second, "Ropa")))[1] == name


def test_a_segment_keeps_its_name_and_tells_when_the_data_drift_from_it():
    found = named(THREE, previous={0: "Farmacia", 1: "Mascotas"})
    assert found[0].basis == "se_mantiene"
    assert found[0].reason == (
        "Conserva el nombre del modelo anterior; los datos de hoy dicen lo mismo."
    )
    assert found[1] == SegmentName(
        name="Mascotas",
        basis="se_mantiene",
        reason="Conserva el nombre del modelo anterior; los datos de hoy lo llamarían "
        "«Supermercado».",
        of_today="Supermercado",
    )


def test_a_new_segment_does_not_take_the_name_of_one_that_lives():
    found = named(THREE, previous={1: "FARMACIA"})
    assert texts(found) == {0: "Farmacia y supermercado", 1: "FARMACIA", 2: "Hogar"}
    assert found[0].of_today == "Farmacia"


def test_the_name_of_a_segment_that_ended_is_free_again():
    assert texts(named(THREE, previous={7: "Farmacia"}))[0] == "Farmacia"


def test_a_name_that_a_person_gave_wins_with_its_reason():
    found = named(THREE, overrides={0: "Cuidado personal"}, previous={0: "Farmacia"})
    assert found[0] == SegmentName(
        name="Cuidado personal", basis="fijado", reason="Campaña de invierno", of_today="Farmacia"
    )


def test_persons_can_swap_two_names():
    swapped = {0: "Supermercado", 1: "Farmacia"}
    found = named(THREE, overrides=swapped, previous={0: "Farmacia", 1: "Supermercado"})
    assert texts(found) == {**swapped, 2: "Hogar"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({9: "Viajes"}, "segment 9, which does not exist; one of 0, 1, 2 was expected"),
        ({SIN_ACTIVIDAD: "Dormidos"}, "segment -1, which does not exist"),
        ({0: "sin Actividad"}, "reserved for customers with too little activity"),
        ({0: "Viajes", 2: "viajes"}, "calls segment 2 'viajes', as segment 0 is called already"),
        ({2: "Mercado"}, "calls segment 2 'Mercado', as segment 1 is called already"),
    ],
)
def test_a_given_name_that_cannot_be_is_refused(overrides, message):
    with pytest.raises(ConfigurationError, match=message):
        named(THREE, overrides=overrides, previous={1: "Mercado"})


def test_a_segment_that_the_margin_left_empty_has_a_name_too():
    features, members, layout = customers(THREE)
    held = members.assign(cluster_id=[0, 1, 1])
    found = choose_segment_names(features, held, layout, NamingParams(), None)
    assert texts(found)[2] == "Compra variada"


def test_nobody_active_means_no_names():
    assert named([(SIN_ACTIVIDAD, (0.0, 0.0, 0.0, 0.0))]) == {}


LABEL = st.sampled_from(["Farmacia", "farmacia", "Sin actividad", "Compra variada", "TV", "Otros"])


@st.composite
def tables(draw):
    weights = st.tuples(*[st.integers(0, 9)] * 4)
    of = draw(st.lists(weights, min_size=1, max_size=12))
    rows = [(draw(st.integers(-1, 5)), tuple(w / max(sum(row), 1) for w in row)) for row in of]
    return rows, tuple(draw(LABEL) for _ in range(4))


@settings(max_examples=20, deadline=None)
@given(table=tables(), shuffled=st.randoms(use_true_random=False))
def test_names_are_all_different_not_empty_and_independent_of_row_order(table, shuffled):
    rows, labels = table
    features, members, _ = customers(rows)
    rubros = tuple(
        Rubro(slug=slug, label=label, members=())
        for slug, label in zip(layout_for().slugs, labels, strict=True)
    )
    layout = ColumnLayout(fecha_modelo=date(2024, 8, 7), rubros=rubros)
    found = choose_segment_names(features, members, layout, NamingParams(), None)
    folded = [normalize_word(name.name) for name in found.values()]
    assert sorted(found) == sorted({segment for segment, _ in rows} - {SIN_ACTIVIDAD})
    assert len(set(folded)) == len(found)
    assert "" not in folded
    assert "sin actividad" not in folded
    assert all(name.of_today == name.name for name in found.values())
    order = list(range(len(rows)))
    shuffled.shuffle(order)
    assert found == choose_segment_names(
        features.iloc[order], members.iloc[order[::-1]], layout, NamingParams(), None
    )
