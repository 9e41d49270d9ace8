import logging
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.segments.shoppers import LAYOUT, NEXT_WEEK, RUBROS, customers, layout_of

from clientela.exceptions import ConfigurationError, TrainingDataError
from clientela.features.segment_columns import (
    ClusteringParams,
    NameOverride,
    NamingParams,
    SegmentationParams,
)
from clientela.models.segment_model import PreviousModel, fit_segmentation


def params(**clustering):
    return SegmentationParams(clustering=ClusteringParams(**clustering))


def model(features, previous=None, k=3, layout=LAYOUT, **clustering):
    return fit_segmentation(features, layout, k, previous, params(**clustering))


def previous_of(made):
    return PreviousModel(made.identity, made.members[["id_cliente", "cluster_id"]])


def ids(made):
    return made.members.set_index("id_cliente")["cluster_id"]


def test_a_first_model_numbers_segments_by_size_and_names_them_by_rubro():
    made = model(customers())

    assert made.identity.names == {0: "Supermercado", 1: "Farmacia", 2: "Restaurantes"}
    assert made.continued.births == (0, 1, 2)
    assert not made.warm


def test_every_customer_is_in_exactly_one_segment():
    features = customers().assign(num_tx=lambda t: np.where(t.index % 7 == 0, 1.0, 12.0))

    found = ids(model(features))

    assert found.index.tolist() == features["id_cliente"].tolist()
    assert set(found[features["num_tx"].to_numpy() < 5]) == {-1}
    assert set(found[features["num_tx"].to_numpy() >= 5]) == {0, 1, 2}


def test_the_next_model_begins_at_the_centres_of_the_last_and_keeps_its_ids():
    first = model(customers())

    again = model(customers().sample(frac=0.95, random_state=1).sort_values("id_cliente"),
                  previous_of(first), layout=NEXT_WEEK)  # fmt: skip

    assert again.warm
    assert again.continued.births == again.continued.deaths == ()
    kept = ids(again) == ids(first).reindex(ids(again).index)
    assert kept.mean() >= 0.99
    assert again.identity.names == first.identity.names


def test_a_cold_refit_gets_its_ids_back_by_the_customers_it_shares():
    first = model(customers())
    shuffled = previous_of(first)
    swapped = {0: 2, 1: 0, 2: 1}
    old = PreviousModel(
        first.identity.model_copy(
            update={"ids": tuple(swapped[i] for i in first.identity.ids),
                    "names": {swapped[i]: n for i, n in first.identity.names.items()}}
        ),
        shuffled.members.assign(cluster_id=shuffled.members["cluster_id"].map(swapped)),
    )  # fmt: skip

    again = model(customers(), old, start="cold", layout=NEXT_WEEK)

    assert not again.warm
    assert ids(again).equals(ids(first).map(swapped))
    assert again.identity.names == old.identity.names


def test_another_number_of_segments_begins_anew_and_says_so(caplog):
    first = model(customers())

    with caplog.at_level(logging.WARNING):
        again = model(customers(), previous_of(first), k=4, layout=NEXT_WEEK)

    assert not again.warm
    assert len(again.continued.births) == 1
    assert again.continued.births[0] == 3
    assert set(again.identity.names.values()) >= set(first.identity.names.values())
    assert "had 3 segments, this one has 4" in caplog.text
    assert "is new" in caplog.text


def test_a_previous_model_with_other_rubros_is_matched_by_customers_and_says_so(caplog):
    first = model(customers())
    other = layout_of("supermercado", "farmacia", "restaurantes", day=date(2024, 7, 7))

    with caplog.at_level(logging.WARNING):
        again = model(customers(), previous_of(first), layout=other)

    assert "made from other columns (participacion_hogar)" in caplog.text
    assert (ids(again) == ids(first)).mean() > 0.95


def test_without_shared_customers_segments_are_matched_by_their_centres(caplog):
    first = model(customers(seed=1))
    strangers = customers(seed=2).assign(id_cliente=lambda t: "x" + t["id_cliente"])

    with caplog.at_level(logging.WARNING):
        again = model(strangers, previous_of(first), start="cold", layout=NEXT_WEEK)

    assert "matched by their centres" in caplog.text
    assert again.identity.names == first.identity.names


def test_a_segment_that_ends_is_logged_and_its_id_is_never_given_again(caplog):
    first = model(customers())

    with caplog.at_level(logging.WARNING):
        second = model(customers(), previous_of(first), k=2, layout=NEXT_WEEK)
    third = model(
        customers(), previous_of(second), k=3, layout=layout_of(*RUBROS, day=date(2024, 7, 14))
    )

    (ended,) = second.continued.deaths
    assert f"Segment {ended} (" in caplog.text
    assert second.identity.retired == (ended,)
    assert third.continued.births == (3,)


def test_a_person_can_name_a_segment():
    naming = NamingParams(overrides={1: NameOverride(name="Salud", reason="pedido de marketing")})

    made = fit_segmentation(customers(), LAYOUT, 3, None, SegmentationParams(naming=naming))

    assert made.identity.names[1] == "Salud"
    assert "pedido de marketing" in made.identity.name_reasons[1]


def test_a_name_for_a_segment_that_does_not_exist_is_refused():
    naming = NamingParams(overrides={9: NameOverride(name="Salud", reason="?")})

    with pytest.raises(ConfigurationError, match="9"):
        fit_segmentation(customers(), LAYOUT, 3, None, SegmentationParams(naming=naming))


def test_fewer_active_customers_than_segments_are_refused():
    with pytest.raises(TrainingDataError, match="3 segments need at least 3"):
        model(customers().assign(num_tx=0.0))


def test_a_single_rubro_is_clustered_as_well():
    features = customers()[["id_cliente", "num_tx", "gasto_total", "participacion_farmacia"]]

    made = model(features, k=2, layout=layout_of("farmacia"))

    assert set(ids(made)) == {0, 1}
    assert len(set(made.identity.names.values())) == 2


def test_the_same_customers_give_the_same_model_to_the_last_digit():
    first, second = model(customers()), model(customers())

    assert first.identity == second.identity
    pd.testing.assert_frame_equal(first.members, second.members)
