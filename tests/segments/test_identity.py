from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.features.segment_columns import ColumnLayout
from clientela.models.segmentation import (
    SegmentIdentity,
    assign_first_ids,
    compute_center_proximity,
    compute_overlap,
    match_segments,
)


def identity(ids, retired=()):
    layout = ColumnLayout(fecha_modelo=date(2024, 6, 23), rubros=())
    return SegmentIdentity(
        fecha_modelo=date(2024, 6, 23),
        layout=layout,
        columns=("participacion_farmacia",),
        transformed=True,
        centers=tuple((float(i),) for i in ids),
        ids=tuple(ids),
        names={i: f"Nombre {i}" for i in ids},
        name_reasons={},
        retired=tuple(retired),
    )


def test_each_cluster_continues_the_segment_it_shares_most_members_with():
    overlap = np.array([[0.1, 0.8, 0.0], [0.7, 0.2, 0.0], [0.0, 0.0, 0.9]])

    found = match_segments(overlap, identity([0, 1, 2]), 0.1)

    assert found.ids == (1, 0, 2)
    assert (found.births, found.deaths) == ((), ())


def test_a_match_below_the_minimum_is_a_death_and_a_birth_with_an_id_never_used():
    overlap = np.array([[0.9, 0.0], [0.0, 0.05]])

    found = match_segments(overlap, identity([0, 3], retired=[7]), 0.1)

    assert found.ids == (0, 8)
    assert (found.births, found.deaths) == ((8,), (3,))


def test_fewer_clusters_than_before_end_segments():
    found = match_segments(np.array([[0.6, 0.5, 0.1]]), identity([0, 1, 2]), 0.1)

    assert found.ids == (0,)
    assert found.deaths == (1, 2)


def test_more_clusters_than_before_begin_segments():
    found = match_segments(np.array([[0.2], [0.6], [0.0]]), identity([4]), 0.1)

    assert found.ids == (5, 4, 6)
    assert found.births == (5, 6)


def test_the_best_matching_is_taken_as_a_whole_not_pair_by_pair():
    overlap = np.array([[0.60, 0.55], [0.58, 0.10]])

    assert match_segments(overlap, identity([0, 1]), 0.05).ids == (1, 0)


def test_first_ids_go_from_the_largest_cluster_to_the_smallest():
    assert assign_first_ids(np.array([1, 1, 1, 2, 0, 2]), 3).ids == (2, 0, 1)


def test_overlap_is_the_jaccard_index_of_the_customers_both_models_placed():
    labels = np.array([0, 0, 1, 1, 1])
    before = pd.Series([5, 5, 5, 9, pd.NA], dtype="Int64")

    found = compute_overlap(labels, before, 2, [5, 9])

    assert found == pytest.approx(np.array([[2 / 3, 0], [1 / 4, 1 / 2]]))


def test_customers_without_activity_before_overlap_with_nothing():
    before = pd.Series([-1, -1], dtype="Int64")

    assert not compute_overlap(np.array([0, 1]), before, 2, [0, 1]).any()


def test_nearness_is_one_at_the_same_place_and_falls_with_distance():
    found = compute_center_proximity(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]]))

    assert found == pytest.approx(np.array([[1.0], [1 / 6]]))


@given(st.permutations(range(5)), st.lists(st.integers(0, 4), min_size=5, max_size=80))
def test_renumbered_clusters_of_the_same_members_get_their_ids_back(order, before):
    present = sorted(set(before))
    clusters = {segment: place for place, segment in enumerate(s for s in order if s in present)}
    labels = np.array([clusters[segment] for segment in before])

    overlap = compute_overlap(labels, pd.Series(before, dtype="Int64"), len(present), present)
    found = match_segments(overlap, identity(present), 0.1)

    assert [found.ids[label] for label in labels] == before
    assert not found.births
    assert not found.deaths
