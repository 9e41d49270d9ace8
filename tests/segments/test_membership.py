import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.pipeline import Pipeline

from clientela.features.segment_columns import ClusteringParams
from clientela.models.segment_model import (
    fit_mixture,
    measure_membership,
    predict_segment_probabilities,
)
from clientela.models.segmentation import fit_clusters
from clientela.models.stored_model import decode_estimator, encode_estimator

IDS = (4, 0, 7)
PARAMS = ClusteringParams()


def planted(width=0.2, each=60):
    """Standardised customers around three centres, the centres, and whose is whose."""
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(3), each)
    rows = 3 * np.eye(3)[labels] + rng.normal(0, width, (len(labels), 3))
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    centers = np.array([scaled[labels == place].mean(axis=0) for place in range(3)])
    return scaled, centers, labels


OVERLAPPING = fit_mixture(*planted(width=1.0, each=10)[:2], PARAMS)


def test_each_component_stays_the_cluster_it_began_as():
    scaled, centers, labels = planted()
    order = [2, 0, 1]
    mixture = fit_mixture(scaled, centers[order], PARAMS)
    np.testing.assert_allclose(mixture.means_, centers[order], atol=1e-3)
    np.testing.assert_array_equal(np.asarray(order)[mixture.predict(scaled)], labels)


def test_probabilities_equal_bayes_rule_by_hand():
    scaled, centers, _ = planted(width=1.5)
    mixture = fit_mixture(scaled, centers, PARAMS)
    density = np.array(
        [
            [
                mixture.weights_[c]
                * multivariate_normal.pdf(row, mixture.means_[c], mixture.covariances_)
                for c in range(3)
            ]
            for row in scaled[:20]
        ]
    )
    by_hand = density / density.sum(axis=1, keepdims=True)
    found = predict_segment_probabilities(mixture, scaled[:20], IDS)
    expected = pd.DataFrame(by_hand, columns=["prob_4", "prob_0", "prob_7"])
    pd.testing.assert_frame_equal(found, expected[["prob_0", "prob_4", "prob_7"]])


@given(
    seed=st.integers(0, 2**32 - 1),
    shift=st.floats(-50, 50),
    ids=st.lists(st.integers(0, 99), min_size=3, max_size=3, unique=True),
)
def test_probabilities_of_each_customer_add_up_to_one_however_far_away(seed, shift, ids):
    strangers = np.random.default_rng(seed).normal(shift, 5.0, (8, 3))
    found = predict_segment_probabilities(OVERLAPPING, strangers, ids)
    assert list(found.columns) == [f"prob_{segment}" for segment in sorted(ids)]
    assert found.to_numpy().min() >= 0.0
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_nobody_has_a_table_with_the_columns_and_no_rows():
    scaled, centers, _ = planted()
    found = predict_segment_probabilities(fit_mixture(scaled, centers, PARAMS), scaled[:0], IDS)
    assert found.shape == (0, 3)
    assert (found.dtypes == "float64").all()


def test_clear_segments_agree_and_are_sure():
    scaled, centers, labels = planted()
    found = measure_membership(fit_mixture(scaled, centers, PARAMS), scaled, labels, IDS)
    assert found["agreement"] == 1.0
    assert found["mean_highest"] > 0.99
    assert found["unclear_share"] == 0.0
    assert [(s["cluster_id"], s["customers"]) for s in found["segments"]] == [
        (0, 60), (4, 60), (7, 60),
    ]  # fmt: skip


def test_figures_equal_a_count_customer_by_customer():
    scaled, centers, labels = planted(width=2.0)
    mixture = fit_mixture(scaled, centers, PARAMS)
    found = measure_membership(mixture, scaled, labels, IDS)
    rows = predict_segment_probabilities(mixture, scaled, IDS).to_dict("records")
    agree, highest, unclear = [], [], []
    for row, label in zip(rows, labels, strict=True):
        best = max(row, key=row.get)
        agree.append(best == f"prob_{IDS[label]}")
        highest.append(row[best])
        unclear.append(row[best] < 0.6)
    assert 0 < sum(agree) < len(agree)
    assert 0 < sum(unclear) < len(unclear)
    for name, counted in (("agreement", agree), ("unclear_share", unclear)):
        assert found[name] == sum(counted) / len(counted)
        of_seven = [value for value, label in zip(counted, labels, strict=True) if label == 2]
        assert found["segments"][2][name] == pytest.approx(np.mean(of_seven))
    assert found["mean_highest"] == pytest.approx(np.mean(highest))


def test_a_segment_without_customers_has_no_figures_and_the_rest_is_json():
    scaled, centers, labels = planted()
    mixture = fit_mixture(scaled, centers, PARAMS)
    found = measure_membership(mixture, scaled[labels > 0], labels[labels > 0], IDS)
    empty = found["segments"][1]
    assert empty == {
        "cluster_id": 4, "customers": 0, "agreement": None, "mean_highest": None,
        "unclear_share": None,
    }  # fmt: skip
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_rubros_where_most_spend_nothing_do_not_make_a_mixture_without_width():
    rng = np.random.default_rng(3)
    spent = np.where(rng.uniform(size=(400, 2)) < 0.8, 0.0, rng.uniform(1, 3, (400, 2)))
    scaled = (spent - spent.mean(axis=0)) / spent.std(axis=0)
    centers = np.array([[-0.5, -0.5], [2.0, -0.5]])
    mixture = fit_mixture(scaled, centers, PARAMS)
    assert np.linalg.eigvalsh(mixture.covariances_).min() >= 0.1


def test_a_cluster_that_nobody_drawn_belongs_to_does_no_harm():
    scaled, centers, _ = planted()
    far = np.vstack([centers, [[40.0, 40.0, 40.0]]])
    found = predict_segment_probabilities(fit_mixture(scaled, far, PARAMS), scaled, (0, 1, 2, 3))
    assert np.isfinite(found.to_numpy()).all()
    assert found["prob_3"].max() < 0.1


def test_at_most_the_configured_customers_are_fitted_and_the_seed_draws_them():
    scaled, centers, _ = planted(width=1.0)
    means = [
        fit_mixture(
            scaled, centers, ClusteringParams(evaluation_rows=rows, seed=seed)
        ).means_.tolist()
        for rows, seed in ((50, 1), (50, 1), (50, 2), (180, 1), (180, 2))
    ]
    assert means[0] == means[1] != means[2] != means[3] == means[4]


def test_the_whole_model_is_one_file_equal_for_equal_models_and_gives_equal_probabilities():
    scaled, _, _ = planted()

    def model():
        clusters = fit_clusters(scaled, 3, ClusteringParams(n_init=2))
        centers = clusters["clusters"].cluster_centers_
        mixture = fit_mixture(clusters["scaler"].transform(scaled), centers, PARAMS)
        return Pipeline([*clusters.steps, ("mixture", mixture)])

    content = encode_estimator(model())
    assert content == encode_estimator(model())
    loaded = decode_estimator(content)
    np.testing.assert_array_equal(
        loaded["mixture"].predict_proba(scaled), model()["mixture"].predict_proba(scaled)
    )
