import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.features.segment_columns import ClusteringParams
from clientela.models.segmentation import compute_center_distances, compute_centers, fit_clusters
from clientela.models.stored_model import encode_estimator
from clientela.storage import compute_sha256

PARAMS = ClusteringParams()


@pytest.fixture
def blobs():
    rng = np.random.default_rng(3)
    middles = np.array([[0, 0, 0], [5, 0, 2], [0, 7, 1]])
    return np.concatenate([rng.normal(middle, 0.4, (50, 3)) for middle in middles])


def test_a_cold_fit_is_scikit_learns_own_k_means_of_standardised_columns(blobs):
    model = fit_clusters(blobs, 3, PARAMS)

    scaled = StandardScaler().fit_transform(blobs)
    bare = KMeans(3, n_init=PARAMS.n_init, random_state=PARAMS.seed).fit(scaled)
    assert model.predict(blobs).tolist() == bare.labels_.tolist()


def test_centres_are_the_means_of_the_members_in_units_of_the_matrix(blobs):
    model = fit_clusters(blobs, 3, PARAMS)

    labels = model.predict(blobs)
    assert compute_centers(model) == pytest.approx(
        np.array([blobs[labels == place].mean(axis=0) for place in range(3)])
    )


def test_a_warm_fit_keeps_the_places_of_the_previous_centres(blobs):
    before = compute_centers(fit_clusters(blobs, 3, PARAMS))[[2, 0, 1]]

    moved = fit_clusters(blobs + 0.1, 3, PARAMS, before)

    assert compute_centers(moved) == pytest.approx(before + 0.1)


def test_distances_are_those_on_the_standardised_scale(blobs):
    model = fit_clusters(blobs, 3, PARAMS)

    scaled = StandardScaler().fit_transform(blobs)
    places = StandardScaler().fit(blobs).transform(compute_centers(model))
    expected = [[np.sqrt(((row - place) ** 2).sum()) for place in places] for row in scaled[:5]]
    assert compute_center_distances(model, blobs[:5]) == pytest.approx(np.array(expected))


def test_a_constant_column_is_no_obstacle(blobs):
    model = fit_clusters(np.column_stack([blobs, np.ones(len(blobs))]), 3, PARAMS)

    assert len(set(model.predict(np.column_stack([blobs, np.ones(len(blobs))])))) == 3


@pytest.mark.parametrize(
    "rows", [np.zeros((0, 2)), np.ones((40, 2)), np.array([[0.0, 1.0], [1.0, 0.0]])]
)
def test_fewer_distinct_customers_than_segments_are_refused_with_what_to_do(rows):
    with pytest.raises(TrainingDataError, match=r"3 segments need at least 3.*minimum_transact"):
        fit_clusters(rows, 3, PARAMS)


def test_distinct_customers_are_found_after_many_equal_ones():
    rows = np.concatenate([np.zeros((5000, 1)), [[1.0]], [[2.0]]])

    assert len(compute_centers(fit_clusters(rows, 3, PARAMS))) == 3


def test_the_bytes_of_a_model_do_not_depend_on_threads():
    rows = np.random.default_rng(8).dirichlet(np.ones(6), 5000)
    digests = set()
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads):
            content = encode_estimator(fit_clusters(rows, 4, PARAMS))
        digests.add(compute_sha256(content))

    assert len(digests) == 1


def test_a_model_holds_nothing_of_each_customer(blobs):
    fitted = fit_clusters(blobs, 3, PARAMS)

    assert len(encode_estimator(fitted)) == len(
        encode_estimator(fit_clusters(blobs[::2], 3, PARAMS))
    )
