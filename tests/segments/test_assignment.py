from datetime import date

import numpy as np
import pandas as pd
import pytest

from clientela.features.segment_columns import ClusteringParams, ColumnLayout, SegmentationParams
from clientela.models.segment_model import SEGMENTS, assign_to_stored_segments
from clientela.models.segmentation import SegmentIdentity, fit_clusters
from clientela.models.stored_model import StoredModel

COLUMNS = ("score_farmacia", "score_hogar")
NEAREST = ClusteringParams(switch_margin=0.0, minimum_transactions=2)
HELD = ClusteringParams(switch_margin=0.3, minimum_transactions=2)


def customers(scores, num_tx=9.0):
    table = pd.DataFrame(scores, columns=list(COLUMNS))
    keys = [f"{place:03d}" for place in range(len(table))]
    return table.assign(id_cliente=keys, num_tx=num_tx)


@pytest.fixture
def placed():
    """Two segments, around (0, 0) with id 4 and around (1, 1) with id 2."""
    features = customers([[0.0, 0.0], [0.0, 0.1], [0.1, 0.0], [1.0, 1.0], [0.9, 1.0], [1.0, 0.9]])
    rows = features[list(COLUMNS)].to_numpy()
    model = fit_clusters(rows, 2, NEAREST, rows[[0, 3]])
    identity = SegmentIdentity(
        fecha_modelo=date(2024, 6, 30),
        layout=ColumnLayout(fecha_modelo=date(2024, 6, 30), rubros=()),
        columns=COLUMNS,
        transformed=True,
        centers=((0.0, 0.0), (1.0, 1.0)),
        ids=(4, 2),
        names={4: "Farmacia", 2: "Hogar"},
        name_reasons={},
    )
    return features, model, identity


def members(placed, features, previous=None, params=NEAREST):
    _, model, identity = placed
    stored = StoredModel({SEGMENTS: model}, {"identity": identity.model_dump(mode="json")})
    settings = SegmentationParams(clustering=params)
    return assign_to_stored_segments(stored, features, previous, settings)


def test_every_customer_is_in_the_segment_of_the_nearest_centre(placed):
    found = members(placed, placed[0])

    assert found["cluster_id"].tolist() == [4, 4, 4, 2, 2, 2]
    assert found["cluster_cercano"].tolist() == [4, 4, 4, 2, 2, 2]
    assert found["cluster_previo"].isna().all()


def test_customers_with_too_few_purchases_are_sin_actividad(placed):
    features = placed[0].assign(num_tx=[9.0, 1.0, 2.0, 0.0, 9.0, 9.0])

    assert members(placed, features)["cluster_id"].tolist() == [4, -1, 4, -1, 2, 2]


def test_nobody_active_is_no_obstacle(placed):
    assert members(placed, placed[0].assign(num_tx=0.0))["cluster_id"].tolist() == [-1] * 6


def test_who_lies_between_stays_where_they_were(placed):
    between = customers([[0.52, 0.52], [0.52, 0.52], [0.52, 0.52]])
    previous = pd.DataFrame({"id_cliente": ["000", "001"], "cluster_id": [4, 2]})

    found = members(placed, between, previous, HELD)

    assert found["cluster_cercano"].eq(found["cluster_cercano"][0]).all()
    assert found["cluster_id"].tolist()[:2] == [4, 2]
    assert found["cluster_id"][2] == found["cluster_cercano"][2]
    assert found["cluster_previo"].equals(pd.Series([4, 2, pd.NA], dtype="Int64"))


def test_who_really_moved_leaves_despite_the_margin(placed):
    previous = pd.DataFrame({"id_cliente": ["000"], "cluster_id": [4]})

    assert members(placed, customers([[0.95, 0.95]]), previous, HELD)["cluster_id"].tolist() == [2]


def test_without_a_margin_nobody_is_held(placed):
    previous = pd.DataFrame({"id_cliente": ["000", "001"], "cluster_id": [4, 2]})
    between = customers([[0.52, 0.52], [0.52, 0.52]])

    found = members(placed, between, previous)

    assert found["cluster_id"].tolist() == found["cluster_cercano"].tolist()


@pytest.mark.parametrize("before", [-1, 77])
def test_who_was_nowhere_or_in_a_segment_that_ended_goes_to_the_nearest(placed, before):
    previous = pd.DataFrame({"id_cliente": ["000"], "cluster_id": [before]})

    assert members(placed, customers([[0.0, 0.0]]), previous, HELD)["cluster_id"].tolist() == [4]


def test_the_margin_is_a_share_of_the_distance_to_the_own_centre(placed):
    model = placed[1]
    rng = np.random.default_rng(5)
    features = customers(rng.uniform(0, 1, (300, 2)))
    previous = features[["id_cliente"]].assign(cluster_id=4)

    found = members(placed, features, previous, HELD)

    apart = model.transform(features[list(COLUMNS)].to_numpy())
    expected = [2 if two < (1 - 0.3) * four else 4 for four, two in apart]
    assert found["cluster_id"].tolist() == expected
