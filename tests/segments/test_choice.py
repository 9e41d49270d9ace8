import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.features.segment_columns import ClusteringParams
from clientela.pipelines.segmentation.choose_k import choose_k, evaluate_k_range, find_elbow

BENT = [100.0, 40.0, 35.0, 31.0, 28.0, 26.0, 25.0]
STRAIGHT = [100.0, 90.0, 80.0, 70.0, 60.0, 50.0, 40.0]


def evaluation(inertia=STRAIGHT, **columns):
    """Seven numbers of segments, 2 to 8; unlike chance and stable unless said otherwise."""
    base = {
        "k": np.arange(2, 2 + len(inertia)),
        "inertia": inertia,
        "silhouette": 0.5,
        "null_silhouette": 0.1,
        "null_sd": 0.01,
        "stability": 0.9,
        "stability_sd": 0.05,
        "smallest_share": 0.1,
    }
    return pd.DataFrame(base | columns)


def said(choice):
    return " ".join(choice["sentences"])


def test_a_stable_elbow_is_chosen():
    choice = choose_k(evaluation(BENT), ClusteringParams(), None)
    assert (choice["k"], choice["basis"], choice["knee"], choice["recommended"]) == (
        3, "elbow", 3, 3,
    )  # fmt: skip
    assert "El método del codo señala 3 segmentos." in choice["sentences"]
    assert choice["sentences"][-1].startswith("Son 3 segmentos: el número del codo")


def test_an_elbow_that_is_not_stable_yields_to_the_stable_number_furthest_above_chance():
    table = evaluation(
        BENT,
        stability=[0.9, 0.7, 0.85, 0.9, 0.9, 0.2, 0.95],
        silhouette=[0.3, 0.9, 0.4, 0.5, 0.3, 0.9, 0.4],
        null_silhouette=[0.1, 0.1, 0.1, 0.25, 0.1, 0.1, 0.2],
    )
    choice = choose_k(table, ClusteringParams(), None)
    assert (choice["k"], choice["basis"], choice["knee"]) == (4, "stable", 3)


def test_no_elbow_is_said_to_be_normal_and_the_stable_numbers_decide():
    table = evaluation(STRAIGHT, silhouette=[0.3, 0.3, 0.3, 0.6, 0.3, 0.3, 0.3])
    choice = choose_k(table, ClusteringParams(), None)
    assert (choice["k"], choice["basis"], choice["knee"]) == (5, "stable", None)
    assert "no señala ningún número" in said(choice)
    assert "Es un resultado normal." in said(choice)


def test_without_a_stable_number_the_most_stable_one_is_chosen_and_said_to_be_unstable():
    table = evaluation(BENT, stability=[0.5, 0.6, 0.4, 0.7, 0.1, 0.7, 0.2])
    choice = choose_k(table, ClusteringParams(), None)
    assert (choice["k"], choice["basis"]) == (5, "most_stable")
    assert not choice["stable"]
    assert "Los segmentos no son estables" in said(choice)
    assert "ningún número da grupos lo bastante estables" in choice["sentences"][-1]


@pytest.mark.parametrize(("stability", "basis"), [(0.9, "stable"), (0.5, "most_stable")])
def test_ties_go_to_the_smaller_number_in_any_order_of_rows(stability, basis):
    table = evaluation(STRAIGHT, stability=stability)
    for rows in (table, table.iloc[::-1]):
        choice = choose_k(rows, ClusteringParams(), None)
        assert (choice["k"], choice["basis"]) == (2, basis)


def test_the_previous_number_stays_and_what_today_recommends_is_said():
    choice = choose_k(evaluation(BENT), ClusteringParams(), 5)
    assert (choice["k"], choice["basis"], choice["recommended"]) == (5, "previous", 3)
    assert "para que cada segmento conserve su nombre" in choice["sentences"][-1]
    assert "los datos de hoy recomendarían 3" in choice["sentences"][-1]


def test_a_fixed_number_comes_before_everything():
    choice = choose_k(evaluation(BENT), ClusteringParams(k=4), 5)
    assert (choice["k"], choice["basis"], choice["recommended"]) == (4, "fixed", 3)
    assert "la configuración lo fija (clustering.k)" in choice["sentences"][-1]


def test_agreement_with_the_data_is_said_too():
    choice = choose_k(evaluation(BENT), ClusteringParams(k=3), None)
    assert "los datos de hoy recomiendan el mismo número" in choice["sentences"][-1]


def test_a_fixed_number_outside_the_candidates_is_graded_but_does_not_bend_the_recommendation():
    params = ClusteringParams(k=8, candidates=(2, 4))
    table = evaluation(BENT)
    table = table[table["k"].isin([2, 3, 4, 8])]
    choice = choose_k(table.assign(silhouette=[0.5, 0.5, 0.5, 0.05]), params, None)
    alone = choose_k(table[table["k"] < 8], params.model_copy(update={"k": None}), None)
    assert choice["k"] == 8
    assert not choice["beats_chance"]
    assert (choice["knee"], choice["recommended"]) == (alone["knee"], alone["recommended"])


def test_a_fixed_number_that_alone_could_be_evaluated_is_the_recommendation():
    params = ClusteringParams(k=2, candidates=(3, 5))
    choice = choose_k(evaluation(inertia=[5.0]), params, None)
    assert (choice["k"], choice["recommended"], choice["knee"]) == (2, 2, None)


def test_nothing_speaks_for_a_previous_number_that_was_not_evaluated():
    choice = choose_k(evaluation(BENT), ClusteringParams(), 12)
    assert choice["k"] == 12
    assert [choice[name] for name in ("beats_chance", "stable", "natural")] == [False] * 3
    assert choice["sentences"][0].startswith("No se sabe si 12 segmentos se sostienen")


@pytest.mark.parametrize(
    ("figures", "grades", "first"),
    [
        ({}, (True, True, True), "Los segmentos son grupos reconocibles"),
        ({"silhouette": 0.119}, (False, True, False), "Los clientes no forman grupos naturales"),
        ({"silhouette": 0.121}, (True, True, False), "Los segmentos son una partición útil"),
        ({"silhouette": 0.25}, (True, True, False), "Los segmentos son una partición útil"),
        ({"stability": 0.79}, (True, False, False), "Los segmentos son una partición útil"),
        ({"stability": 0.8}, (True, True, True), "Los segmentos son grupos reconocibles"),
        ({"null_silhouette": np.nan}, (False, True, False), "No se puede saber"),
    ],
)
def test_groups_are_natural_only_when_unlike_chance_stable_and_apart(figures, grades, first):
    choice = choose_k(evaluation(**figures), ClusteringParams(k=3), None)
    assert (choice["beats_chance"], choice["stable"], choice["natural"]) == grades
    assert choice["sentences"][0].startswith(first)


def test_what_keeps_groups_from_being_natural_is_named():
    faint = choose_k(evaluation(silhouette=0.2), ClusteringParams(), None)
    assert "los grupos se tocan" in said(faint)
    assert "de una muestra de clientes a otra" not in said(faint)
    both = choose_k(evaluation(silhouette=0.2, stability=0.3), ClusteringParams(), None)
    assert "están en el borde y los grupos cambian de una muestra" in said(both)


def test_figures_in_sentences_are_written_as_spanish_readers_do():
    choice = choose_k(evaluation(stability=0.873), ClusteringParams(), None)
    assert "silueta 0,500" in said(choice)
    assert "0,100 ± 0,010" in said(choice)
    assert "coinciden en 0,873" in said(choice)
    assert "nan" not in said(choice)


def test_without_chance_to_compare_with_the_silhouette_itself_decides():
    table = evaluation(
        null_silhouette=np.nan, null_sd=np.nan, silhouette=[0.3, 0.3, 0.7, 0.3, 0.3, 0.3, 0.3]
    )
    choice = choose_k(table, ClusteringParams(), None)
    assert (choice["k"], choice["basis"]) == (4, "stable")
    assert "nan" not in said(choice)


@pytest.mark.parametrize(
    ("inertia", "knee"),
    [(BENT, 3), (STRAIGHT, None), ([5.0], None), ([5.0, 4.0], None), ([9.0, 3.0, 2.9, 2.8], 3)],
)
def test_an_elbow_is_a_bend_and_may_be_absent(inertia, knee):
    assert find_elbow(evaluation(inertia)) == knee


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=10, unique=True))
def test_whatever_the_inertia_an_elbow_is_a_candidate_or_none_and_never_a_warning(drops):
    table = evaluation(list(np.cumsum(drops)[::-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        knee = find_elbow(table)
    assert knee is None or knee in table["k"].to_numpy()


def test_planted_groups_are_found_and_natural():
    rng = np.random.default_rng(7)
    rows = 10 * np.eye(4)[np.repeat(np.arange(4), 50)] + rng.normal(0, 0.3, (200, 4))
    params = ClusteringParams(candidates=(2, 6), n_init=5, null_draws=3, bootstrap_draws=4)
    choice = choose_k(evaluate_k_range(rows, params), params, None)
    assert (choice["k"], choice["natural"]) == (4, True)


def test_uniform_noise_and_shares_without_groups_are_not_natural():
    rng = np.random.default_rng(7)
    params = ClusteringParams(candidates=(2, 6), n_init=3, null_draws=5, bootstrap_draws=4)
    for rows in (rng.uniform(size=(800, 5)), np.sqrt(rng.dirichlet(np.full(8, 0.4), 800))):
        choice = choose_k(evaluate_k_range(rows, params), params, None)
        assert not choice["natural"]
        assert "grupos reconocibles" not in said(choice)
