import numpy as np
import pytest

from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training.model_selection import (
    evaluate_on_folds,
    list_candidate_configs,
    select_champion,
)

TUNED = {name: {"params": {}} for name in ("mayoria", "ultimo_trimestre")} | {
    "requerido": {"params": {"n_estimators": 8, "max_depth": 3}},
    "lineal": {"params": {"l2": 1.0}},
}


@pytest.fixture
def choose():
    def run(train, problem):
        grades = evaluate_on_folds(train, list_candidate_configs(TUNED, problem), problem, "x")
        return select_champion(train, grades, TUNED, problem)

    return run


def test_extra_features_that_inform_are_kept(choose, train, problem, customers):
    # last quarter's purchases repeat the target here, and the required features are noise
    codes = problem.schema.codes(train)
    noise = np.random.default_rng(0).normal(size=(len(train), 3))
    informed = train.assign(
        gasto_3m=noise[:, 0], num_tx_total=noise[:, 1], edad=noise[:, 2],
        compras_tecnologia_3m=problem.schema.value_array[codes] + 0.1 * noise[:, 0],
    )  # fmt: skip
    table, choice = choose(informed, problem)
    assert choice["champion"]["candidate"] == "lineal"
    assert choice["champion"]["features"] == "all"
    assert choice["extra_features"]["kept"]
    assert choice["extra_features"]["gain"]["mean"] > 0.5
    assert len(table) == 6


def test_extra_features_that_only_add_noise_are_dropped(choose, train, problem):
    codes = problem.schema.codes(train)
    noise = np.random.default_rng(0).normal(size=(len(train), 2))
    told = train.assign(
        gasto_3m=problem.schema.value_array[codes] + 0.3 * noise[:, 0],
        compras_tecnologia_3m=np.abs(noise[:, 1]),
    )
    table, choice = choose(told, problem)
    champion = choice["champion"]
    assert not choice["extra_features"]["kept"]
    assert champion["features"] == "required"
    listed = table[
        (table["candidate"] == champion["candidate"]) & (table["features"] == "required")
    ]
    assert champion["qwk"] in listed["qwk"].tolist()


@pytest.mark.parametrize(
    ("seed", "spread", "best_features"), [(0, 2.0, "all"), (1, 1.0, "required")]
)
def test_the_distance_to_the_best_is_that_of_the_form_that_is_left(
    choose, train, problem, seed, spread, best_features
):
    noise = np.random.default_rng(seed).normal(size=(len(train), 2))
    told = train.assign(
        gasto_3m=problem.schema.value_array[problem.schema.codes(train)] + spread * noise[:, 0],
        compras_tecnologia_3m=np.abs(noise[:, 1]),
    )
    table, choice = choose(told, problem)
    champion, best = choice["champion"], table[table["role"] != "rule"].iloc[0]
    assert (champion["candidate"], champion["features"]) == ("lineal", "required")
    assert champion["best"].startswith(f"lineal|{best_features}|")
    assert champion["behind_best"] == pytest.approx(best["qwk"] - champion["qwk"], abs=1e-12)
    assert (champion["behind_best_se"] > 0) == (best_features == "all")


def test_without_extra_features_there_is_nothing_to_ask(choose, train, schema, settings):
    del settings["candidates"]["ultimo_trimestre"]
    made = TrainingSettings.model_validate(settings)
    problem = create_problem("ordinal", schema | {"extra": []}, made)
    _, choice = choose(train, problem)
    assert not choice["extra_features"]["tested"]


def test_the_choice_can_be_stored_as_json(choose, train, problem):
    import json

    _, choice = choose(train, problem)
    assert json.loads(json.dumps(choice)) == choice


@pytest.mark.parametrize("metric", ["mae_class", "rps"])
def test_any_measure_can_pick_the_champion(choose, train, schema, settings, metric):
    made = TrainingSettings.model_validate(settings | {"primary_metric": metric})
    table, choice = choose(train, create_problem("ordinal", schema, made))
    models = table[table["role"] != "rule"]
    assert models[metric].is_monotonic_increasing
    assert choice["champion"]["gain_vs_required"] >= -choice["champion"]["gain_vs_required_se"]
