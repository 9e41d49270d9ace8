import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.modelling.storage.persistence import skops_bytes
from clientela.registry.whole_files import sha256_of
from clientela.segments.clustering import centers, distances, fitted_clusters
from clientela.segments.params import ClusteringParams

PARAMS = ClusteringParams()


@pytest.fixture
def blobs():
    rng = np.random.default_rng(3)
    middles = np.array([[0, 0, 0], [5, 0, 2], [0, 7, 1]])
    return np.concatenate([rng.normal(middle, 0.4, (50, 3)) for middle in middles])


def test_a_cold_fit_is_scikit_learns_own_k_means_of_standardised_columns(blobs):
    model = fitted_clusters(blobs, 3, PARAMS)

    scaled = StandardScaler().fit_transform(blobs)
    bare = KMeans(3, n_init=PARAMS.n_init, random_state=PARAMS.seed).fit(scaled)
    assert model.predict(blobs).tolist() == bare.labels_.tolist()


def test_centres_are_the_means_of_the_members_in_units_of_the_matrix(blobs):
    model = fitted_clusters(blobs, 3, PARAMS)

    labels = model.predict(blobs)
    assert centers(model) == pytest.approx(
        np.array([blobs[labels == place].mean(axis=0) for place in range(3)])
    )


def test_a_warm_fit_keeps_the_places_of_the_previous_centres(blobs):
    before = centers(fitted_clusters(blobs, 3, PARAMS))[[2, 0, 1]]

    moved = fitted_clusters(blobs + 0.1, 3, PARAMS, before)

    assert centers(moved) == pytest.approx(before + 0.1)


def test_distances_are_those_on_the_standardised_scale(blobs):
    model = fitted_clusters(blobs, 3, PARAMS)

    scaled = StandardScaler().fit_transform(blobs)
    places = StandardScaler().fit(blobs).transform(centers(model))
    expected = [[np.sqrt(((row - place) ** 2).sum()) for place in places] for row in scaled[:5]]
    assert distances(model, blobs[:5]) == pytest.approx(np.array(expected))


def test_a_constant_column_is_no_obstacle(blobs):
    model = fitted_clusters(np.column_stack([blobs, np.ones(len(blobs))]), 3, PARAMS)

    assert len(set(model.predict(np.column_stack([blobs, np.ones(len(blobs))])))) == 3


@pytest.mark.parametrize(
    "rows", [np.zeros((0, 2)), np.ones((40, 2)), np.array([[0.0, 1.0], [1.0, 0.0]])]
)
def test_fewer_distinct_customers_than_segments_are_refused_with_what_to_do(rows):
    with pytest.raises(TrainingDataError, match=r"3 segments need at least 3.*minimum_transact"):
        fitted_clusters(rows, 3, PARAMS)


def test_distinct_customers_are_found_after_many_equal_ones():
    rows = np.concatenate([np.zeros((5000, 1)), [[1.0]], [[2.0]]])

    assert len(centers(fitted_clusters(rows, 3, PARAMS))) == 3


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_bytes_of_a_model_do_not_depend_on_threads(threads):
    rows = np.random.default_rng(8).dirichlet(np.ones(6), 5000)

    with threadpool_limits(limits=threads):
        content = skops_bytes(fitted_clusters(rows, 4, PARAMS))

    assert sha256_of(content) == sha256_of(skops_bytes(fitted_clusters(rows, 4, PARAMS)))


def test_a_model_holds_nothing_of_each_customer(blobs):
    fitted = fitted_clusters(blobs, 3, PARAMS)

    assert len(skops_bytes(fitted)) == len(skops_bytes(fitted_clusters(blobs[::2], 3, PARAMS)))
