import numpy as np
import pandas as pd
import pytest

from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training.model_selection import (
    build_leaderboard,
    compute_paired_gain,
    find_best_of_role,
    select_champion_row,
)

RULE, LAST = ("mayoria", "all", "propia"), ("ultimo_trimestre", "all", "propia")
REQUIRED, CUT = ("requerido", "required", "nearest"), ("lineal", "all", "thresholds")
MEDIAN = ("lineal", "all", "median")


def grades(figures, metric="qwk"):
    return pd.DataFrame(
        [
            {"candidate": c, "features": f, "decision": d, "repeat": 0, "fold": fold, metric: value}
            for (c, f, d), values in figures.items()
            for fold, value in enumerate(values)
        ]
    )


def contender(frame, name):
    return frame[(frame["candidate"] == name[0]) & (frame["decision"] == name[2])]


FIGURES = {
    RULE: [0.0, 0.0, 0.0],
    LAST: [0.40, 0.42, 0.38],
    REQUIRED: [0.41, 0.38, 0.39],
    CUT: [0.50, 0.46, 0.48],
    MEDIAN: [0.45, 0.43, 0.44],
}


def test_a_paired_gain_has_mean_spread_and_corrected_error(problem):
    frame = grades(FIGURES)
    gain = compute_paired_gain(contender(frame, CUT), contender(frame, LAST), problem)
    differences = [0.10, 0.04, 0.10]
    sd = np.std(differences, ddof=1)
    assert gain.mean == pytest.approx(np.mean(differences))
    assert gain.sd == pytest.approx(sd)
    # three folds: a third of the rows held out for two thirds learned from
    assert gain.se == pytest.approx(np.sqrt((1 / 3 + 1 / 2) * sd**2))


def test_folds_are_paired_by_their_place_not_their_row(problem):
    frame = grades(FIGURES)
    shuffled = contender(frame, LAST).iloc[::-1]
    one = compute_paired_gain(contender(frame, CUT), contender(frame, LAST), problem)
    assert compute_paired_gain(contender(frame, CUT), shuffled, problem) == one


def test_the_best_stands_first_with_its_gains(problem):
    table = build_leaderboard(grades(FIGURES), problem)
    assert table["candidate"].tolist() == [
        "lineal", "lineal", "ultimo_trimestre", "requerido", "mayoria",
    ]  # fmt: skip
    first = table.iloc[0]
    assert first["gain_vs_rule"] == pytest.approx(0.48 - 0.40)
    assert first["gain_vs_required"] == pytest.approx(0.48 - 1.18 / 3)
    assert first["qwk_sd"] == pytest.approx(0.02)


def test_less_is_better_where_the_metric_says_so(schema, settings):
    made = TrainingSettings.model_validate(settings | {"primary_metric": "mae_class"})
    problem = create_problem("ordinal", schema, made)
    frame = grades({RULE: [0.8] * 3, LAST: [0.7] * 3, REQUIRED: [0.6] * 3}, "mae_class")
    table = build_leaderboard(frame, problem)
    assert table["candidate"].tolist() == ["requerido", "ultimo_trimestre", "mayoria"]
    assert table.iloc[0]["gain_vs_rule"] == pytest.approx(0.1)
    assert find_best_of_role(frame, "rule", problem) == "ultimo_trimestre|all|propia"


def test_among_indistinguishable_models_the_simplest_wins(problem):
    noisy = FIGURES | {REQUIRED: [0.58, 0.36, 0.47]}
    frame = grades(noisy)
    champion = select_champion_row(build_leaderboard(frame, problem), frame, problem)
    assert champion["candidate"] == "requerido"
    assert champion["best"] == "lineal|all|thresholds"
    assert champion["behind_best"] == pytest.approx(0.01)


def test_a_clearly_better_model_wins(problem):
    frame = grades(FIGURES)
    champion = select_champion_row(build_leaderboard(frame, problem), frame, problem)
    assert (champion["candidate"], champion["decision"]) == ("lineal", "thresholds")
    assert champion["behind_best"] == 0


def test_a_rule_is_never_champion_even_when_best(problem):
    frame = grades(FIGURES | {LAST: [0.9, 0.9, 0.9]})
    table = build_leaderboard(frame, problem)
    assert table.iloc[0]["candidate"] == "ultimo_trimestre"
    champion = select_champion_row(table, frame, problem)
    assert champion["candidate"] == "lineal"
    assert champion["gain_vs_rule"] < 0
