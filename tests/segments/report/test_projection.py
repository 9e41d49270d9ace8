import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clientela.features.segment_columns import ClusteringParams
from clientela.pipelines.segmentation.report_figures import MOST_POINTS, compute_projection

PARAMS = ClusteringParams()
COLUMNS = ["participacion_farmacia", "participacion_ropa", "num_tx"]


@pytest.fixture
def correlated():
    generator = np.random.default_rng(1)
    base = generator.normal(size=300)
    columns = [base, base + 0.5 * generator.normal(size=300), 100 * generator.normal(size=300)]
    return np.column_stack(columns)


def test_explained_shares_are_the_eigenvalues_of_the_correlation_matrix(correlated):
    axes = compute_projection(correlated, np.zeros(300, int), COLUMNS, PARAMS)["axes"]
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(correlated.T))[::-1] / 3
    shares = axes.groupby("axis")["explained"].first()
    assert shares.tolist() == pytest.approx(eigenvalues[:2].tolist())


def test_an_axis_names_its_heaviest_columns_first_with_their_sign(correlated):
    axes = compute_projection(correlated, np.zeros(300, int), COLUMNS, PARAMS)["axes"]
    first = axes[axes["axis"] == 1]
    assert set(first["column"].head(2)) == {"participacion_farmacia", "participacion_ropa"}
    assert (np.diff(first["weight"].abs()) <= 0).all()
    assert (first["weight"] ** 2).sum() == pytest.approx(1.0)


def test_points_keep_their_segment_and_carry_no_key(correlated):
    labels = np.where(correlated[:, 0] > 0, 7, 2)
    points = compute_projection(correlated, labels, COLUMNS, PARAMS)["points"]
    assert list(points.columns) == ["x", "y", "cluster_id"]
    assert points["cluster_id"].value_counts().to_dict() == dict(
        zip(*np.unique(labels, return_counts=True), strict=True)
    )
    sides = points.groupby("cluster_id")["x"].mean()
    assert sides[7] * sides[2] < 0


def test_many_customers_are_sampled_the_same_way_each_time():
    matrix = np.random.default_rng(2).normal(size=(MOST_POINTS + 500, 3))
    labels = np.arange(len(matrix)) % 4
    first, second = (compute_projection(matrix, labels, COLUMNS, PARAMS) for _ in range(2))
    assert len(first["points"]) == MOST_POINTS
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[name], check_exact=True)
    other = compute_projection(matrix, labels, COLUMNS, PARAMS.model_copy(update={"seed": 7}))
    assert not other["points"].equals(first["points"])


def test_a_single_column_lies_on_one_axis():
    found = compute_projection(np.arange(6.0)[:, None], np.arange(6) % 2, COLUMNS[:1], PARAMS)
    assert (found["points"]["y"] == 0).all()
    assert found["axes"].to_dict("records") == [
        {"axis": 1, "explained": 1.0, "column": "participacion_farmacia", "weight": 1.0}
    ]


def test_equal_customers_explain_nothing():
    found = compute_projection(np.ones((5, 3)), np.zeros(5, int), COLUMNS, PARAMS)
    assert (found["points"][["x", "y"]] == 0).all(axis=None)
    assert (found["axes"]["explained"] == 0).all()


@settings(max_examples=30, deadline=None)
@given(arrays(float, (8, 3), elements=st.floats(0, 1, width=32)))
def test_places_are_finite_and_shares_add_up_to_no_more_than_all(matrix):
    found = compute_projection(matrix, np.arange(8) % 3, COLUMNS, PARAMS)
    assert np.isfinite(found["points"].to_numpy(float)).all()
    shares = found["axes"].drop_duplicates("axis")["explained"]
    assert 0 <= shares.sum() <= 1 + 1e-9
