import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from clientela.exceptions import TrainingDataError
from clientela.features.segment_columns import ClusteringParams
from clientela.models.segmentation import fit_clusters
from clientela.pipelines.segmentation import choose_k
from clientela.pipelines.segmentation.choose_k import compute_silhouette, evaluate_k_range

COLUMNS = [
    "k", "inertia", "silhouette", "null_silhouette", "null_sd", "stability", "stability_sd",
    "smallest_share",
]  # fmt: skip


def params_with(**changes):
    few = {"candidates": (2, 5), "n_init": 3, "null_draws": 3, "bootstrap_draws": 4}
    return ClusteringParams(**few | changes)


def planted(centres=3, each=60, columns=3, width=0.3):
    """Customers around far centres, and the centre of each."""
    rng = np.random.default_rng(7)
    place = 10 * np.eye(columns)[:centres]
    groups = np.repeat(np.arange(centres), each)
    return place[groups] + rng.normal(0, width, (len(groups), columns)), groups


def by_k(frame):
    return frame.set_index("k")


def slow_silhouette(rows, labels):
    """Rousseeuw's definition, pair by pair."""
    values = []
    for i, row in enumerate(rows):
        away = np.sqrt(((rows - row) ** 2).sum(axis=1))
        own = (labels == labels[i]) & (np.arange(len(rows)) != i)
        if not own.any():
            values.append(0.0)
            continue
        inside = away[own].mean()
        outside = min(away[labels == c].mean() for c in set(labels) - {labels[i]})
        values.append((outside - inside) / max(inside, outside))
    return np.mean(values)


def test_one_row_per_candidate_with_the_promised_columns_and_types():
    found = evaluate_k_range(planted()[0], params_with())
    assert list(found.columns) == COLUMNS
    assert found["k"].tolist() == [2, 3, 4, 5]
    assert found["k"].dtype == "int64"
    assert (found.dtypes[1:] == "float64").all()
    assert (found["inertia"].diff()[1:] < 0).all()


def test_planted_groups_are_found_stable_and_far_above_chance():
    rows, groups = planted()
    found = by_k(evaluate_k_range(rows, params_with()))
    assert found["silhouette"].idxmax() == 3
    three = found.loc[3]
    assert three["stability"] == 1.0
    assert three["silhouette"] > 0.9
    assert three["silhouette"] > three["null_silhouette"] + 2 * three["null_sd"] + 0.2
    assert three["smallest_share"] == pytest.approx(1 / 3)
    assert found.loc[5, "stability"] < 0.95
    model = fit_clusters(rows, 3, params_with())
    assert adjusted_rand_score(groups, model.predict(rows)) == 1.0


def test_inertia_and_smallest_share_are_those_of_the_clusters_that_are_fitted():
    rows, _ = planted(width=3.0)
    found = by_k(evaluate_k_range(rows, params_with()))
    model = fit_clusters(rows, 4, params_with())
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    labels = model.predict(rows)
    centres = np.array([scaled[labels == c].mean(axis=0) for c in range(4)])
    assert found.loc[4, "inertia"] == pytest.approx(((scaled - centres[labels]) ** 2).sum())
    assert found.loc[4, "smallest_share"] == np.bincount(labels).min() / len(rows)
    assert found.loc[4, "silhouette"] == pytest.approx(slow_silhouette(scaled, labels))


def test_independent_columns_are_no_better_than_their_own_permutations():
    rows = np.random.default_rng(0).uniform(size=(600, 3))
    found = evaluate_k_range(rows, params_with(null_draws=5))
    assert (abs(found["silhouette"] - found["null_silhouette"]) < 0.05).all()


def test_chance_has_the_same_columns_and_no_connection_between_them():
    # two columns that are one: permuted, they make a plane, where groups stand less apart
    line = np.random.default_rng(1).uniform(size=(400, 1))
    found = by_k(evaluate_k_range(np.hstack([line, line]), params_with()))
    plane = by_k(evaluate_k_range(np.random.default_rng(2).uniform(size=(400, 2)), params_with()))
    assert found.loc[2, "silhouette"] > found.loc[2, "null_silhouette"] + 0.15
    assert found.loc[2, "null_silhouette"] == pytest.approx(plane.loc[2, "silhouette"], abs=0.06)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(3, 25))
def test_silhouettes_equal_the_definition_or_are_zero_without_meaning(seed, clusters, count):
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(count, 2)), rng.integers(clusters, size=count)
    groups = len(set(labels))
    expected = slow_silhouette(rows, labels) if 1 < groups < count else 0.0
    assert compute_silhouette(rows, labels, params_with()) == pytest.approx(expected)


def test_customers_each_alone_in_a_cluster_have_no_silhouette():
    rows = np.arange(3.0)[:, None]
    assert compute_silhouette(rows, np.arange(3), params_with()) == 0.0


def test_the_same_data_and_seed_give_the_same_table_on_any_number_of_workers(monkeypatch):
    rows = np.random.default_rng(5).uniform(size=(1500, 4))
    params = params_with(candidates=(4, 5))
    first = evaluate_k_range(rows, params)
    monkeypatch.setattr(choose_k, "ALL_CORES", 1)
    pd.testing.assert_frame_equal(first, evaluate_k_range(rows, params), check_exact=True)


def test_each_fit_takes_one_thread_since_more_add_up_in_any_order(monkeypatch):
    fitted, threads = choose_k._fit_kmeans, []

    def watched(*call):
        threads.append(_openmp_effective_n_threads())
        return fitted(*call)

    monkeypatch.setattr(choose_k, "_fit_kmeans", watched)
    evaluate_k_range(planted()[0], params_with())
    assert threads == [1] * 4 * (1 + 3 + 4)


def test_more_draws_of_one_kind_change_no_other_figure():
    rows = np.random.default_rng(5).uniform(size=(200, 3))
    few, more = (evaluate_k_range(rows, params_with(null_draws=n)) for n in (1, 2))
    apart = ["null_silhouette", "null_sd"]
    pd.testing.assert_frame_equal(few.drop(columns=apart), more.drop(columns=apart))
    assert (few["null_sd"] == 0.0).all()
    assert (more["null_sd"] > 0.0).all()


def test_only_the_configured_rows_are_drawn_and_another_seed_draws_others():
    rows = np.random.default_rng(5).uniform(size=(500, 3))
    params = params_with(evaluation_rows=100, silhouette_rows=50)
    found = evaluate_k_range(rows, params)
    # standardised columns: the squares of n rows and 3 columns add up to 3 n
    assert (found["inertia"] < 300).all()
    assert ((found["smallest_share"] * 100) % 1).round(6).isin([0.0, 1.0]).all()
    other = evaluate_k_range(rows, params.model_copy(update={"seed": 1}))
    assert not found.equals(other)


def test_a_fixed_number_outside_the_candidates_is_evaluated_too():
    found = evaluate_k_range(planted()[0], params_with(k=7, candidates=(2, 3)))
    assert found["k"].tolist() == [2, 3, 7]


def test_numbers_above_that_of_different_customers_are_left_out():
    rows = np.repeat(np.array([[0.0, 1.0], [4.0, 0.0], [9.0, 9.0]]), 20, axis=0)
    found = evaluate_k_range(rows, params_with())
    assert found["k"].tolist() == [2, 3]
    assert by_k(found).loc[3, "inertia"] == pytest.approx(0.0)


def test_as_many_customers_as_segments_still_make_a_table():
    found = evaluate_k_range(np.array([[0.0, 1.0], [4.0, 0.0], [9.0, 9.0]]), params_with())
    assert found["k"].tolist() == [2, 3]
    assert by_k(found).loc[3, "silhouette"] == 0.0


def test_a_single_column_has_no_chance_to_compare_with():
    column = np.concatenate([np.linspace(0, 1, 30), np.linspace(9, 10, 30)])[:, None]
    alone = evaluate_k_range(column, params_with())
    assert alone["null_silhouette"].isna().all()
    assert by_k(alone).loc[2, "silhouette"] > 0.9
    assert by_k(alone).loc[2, "stability"] == 1.0
    beside_constant = evaluate_k_range(np.hstack([column, np.ones_like(column)]), params_with())
    assert beside_constant["null_silhouette"].isna().all()


def test_constant_columns_change_nothing():
    rows, _ = planted()
    wide = np.hstack([rows, np.full((len(rows), 2), 3.0)])
    # at the planted number no start ends elsewhere, so figures can be equal
    found, same = (by_k(evaluate_k_range(m, params_with())).loc[[3]] for m in (wide, rows))
    apart = ["null_silhouette", "null_sd"]
    pd.testing.assert_frame_equal(found.drop(columns=apart), same.drop(columns=apart))


def test_one_far_customer_is_a_cluster_and_no_crash():
    rows = np.vstack([np.random.default_rng(3).normal(size=(300, 2)), [[1e6, 1e6]]])
    found = by_k(evaluate_k_range(rows, params_with(silhouette_rows=20)))
    assert found.loc[2, "smallest_share"] == pytest.approx(1 / 301)
    assert found["silhouette"].between(-1, 1).all()


@pytest.mark.parametrize(("count", "different"), [(0, 0), (1, 1), (2, 2)])
def test_too_few_customers_are_told_apart_from_those_needed(count, different):
    rows = np.arange(2.0 * count).reshape(count, 2)
    message = (
        f"at least 3 active customers that differ .* {count} active customers came, {different} "
        r"of them different.*clustering.minimum_transactions \(5\)"
    )
    with pytest.raises(TrainingDataError, match=message):
        evaluate_k_range(rows, params_with(candidates=(3, 5)))


def test_customers_who_are_all_alike_are_an_error_that_says_so():
    with pytest.raises(TrainingDataError, match="50 active customers came, 1 of them different"):
        evaluate_k_range(np.ones((50, 1)), params_with())
