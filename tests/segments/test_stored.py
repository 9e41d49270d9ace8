import numpy as np
import pandas as pd
import pytest
from tests.segments.shoppers import LAYOUT, customers

from clientela.features.segment_columns import (
    ClusteringParams,
    MembershipParams,
    SegmentationParams,
)
from clientela.models.segment_model import (
    assign_to_stored_segments,
    build_stored_segmentation,
    fit_segmentation,
    get_identity,
    measure_soft_membership,
    predict_export_probabilities,
)
from clientela.models.stored_model import decode_model, encode_model


def params(mode="report"):
    return SegmentationParams(clustering=ClusteringParams(), membership=MembershipParams(mode=mode))


def through_a_file(model):
    return decode_model(*encode_model(model), "somewhere")


@pytest.fixture
def made():
    return fit_segmentation(customers(), LAYOUT, 3, None, params())


def test_a_stored_model_places_customers_as_the_run_that_made_it(made):
    stored = through_a_file(build_stored_segmentation(made, customers(), params()))

    found = assign_to_stored_segments(stored, customers(), None, params())

    pd.testing.assert_frame_equal(found, made.members)
    assert get_identity(stored) == made.identity


def test_new_customers_are_placed_without_a_refit(made):
    stored = build_stored_segmentation(made, customers(), params())
    newcomer = customers().iloc[[0]].assign(id_cliente="new", participacion_supermercado=0.9)

    found = assign_to_stored_segments(stored, newcomer, None, params())

    assert found["cluster_id"].tolist() == [0]


def test_the_same_model_is_the_same_file(made):
    first, second = (
        encode_model(build_stored_segmentation(made, customers(), params())) for _ in range(2)
    )

    assert first == second


def test_without_membership_no_mixture_is_stored(made):
    stored = through_a_file(build_stored_segmentation(made, customers(), params("none")))

    assert measure_soft_membership(stored, customers(), params("report")) == {"mode": "none"}
    assert predict_export_probabilities(stored, customers(), params("export")) is None


def test_membership_is_reported_but_not_exported_unless_asked_for(made):
    stored = build_stored_segmentation(made, customers(), params())

    told = measure_soft_membership(stored, customers(), params())

    assert told["mode"] == "report"
    assert told["agreement"] > 0.9
    assert predict_export_probabilities(stored, customers(), params()) is None


def test_exported_probabilities_stand_row_by_row_and_are_missing_without_activity(made):
    features = customers().assign(num_tx=lambda t: np.where(t.index == 1, 0.0, 12.0))
    stored = build_stored_segmentation(made, features, params("export"))

    found = predict_export_probabilities(stored, features, params("export"))

    assert found.index.tolist() == list(range(len(features)))
    assert found.loc[1].isna().all()
    assert found.drop(index=1).sum(axis=1).to_numpy() == pytest.approx(1.0)
