import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.monitoring.profile import (
    compute_digest,
    count_number_cells,
    find_bin_starts,
)

VALUES = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 1.0, 2.0, 3.5, np.inf, np.nan]))


def counted_one_by_one(values: list[float], points: list[float]) -> list[int]:
    cells = [0] * (2 * len(points) + 2)
    for value in values:
        if np.isnan(value):
            cells[-1] += 1
        elif value in points:
            cells[2 * points.index(value) + 1] += 1
        else:
            cells[2 * sum(point < value for point in points)] += 1
    return cells


@given(VALUES, st.sets(st.sampled_from([-1.0, 0.0, 1.0, 2.0])))
def test_cells_are_those_of_a_loop_over_values(values, points):
    found = count_number_cells(np.sort(np.array(values, dtype=float)), np.array(sorted(points)))
    assert found.tolist() == counted_one_by_one(values, sorted(points))


def test_a_bin_begins_after_the_edge_or_with_it():
    starts = find_bin_starts([1.0, 2.0, 5.0], [(2.0, False), (2.0, True), (5.0, True)])
    assert starts.tolist() == [0, 3, 4, 6, 7]


def test_a_digest_is_the_beginning_of_the_sha256_of_utf_8():
    # printf abc | sha256sum, as published with the standard (FIPS 180-2)
    assert compute_digest("abc") == "ba7816bf8f01cfea"
