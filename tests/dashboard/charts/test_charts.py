"""Every chart is valid Vega-Lite, draws the rows it was given, and needs no network."""

import json

import pandas as pd
import pytest

from clientela.dashboard.charts.distributions import contribution_bars, distribution_bars, points
from clientela.dashboard.charts.evolution import (
    performance_lines,
    psi_lines,
    severity_map,
    share_bars,
)
from clientela.dashboard.charts.quality import foreign_bars, missing_dots
from clientela.dashboard.charts.severity import severity_bars
from clientela.dashboard.charts.variables import psi_bars
from clientela.dashboard.language import LANGUAGES
from clientela.drift.thresholds import EffectSizes

ES = LANGUAGES["es"]
SIZES = EffectSizes(watch=0.1, alarm=0.25)
COLUMNS = pd.DataFrame(
    {"feature": ["plazo", "salario"], "psi": [0.5, 0.01], "severity": ["ROJO", "VERDE"]}
)
CELLS = pd.DataFrame(
    {
        "place": [0, 1], "label": ["≤ 1", "> 1"], "baseline_share": [0.5, 0.5],
        "current_share": [0.2, 0.8], "change": [-0.3, 0.3], "contribution": [0.2, 0.1],
        "moved": [True, False],
    }
)  # fmt: skip
PERIODS = pd.DataFrame(
    {
        "period": ["2024-08", "2024-09"], "feature": "plazo", "psi": [0.1, 0.5], "kind": "x",
        "severity": ["VERDE", "ROJO"], "share": [0.1, 0.2], "value": [0.7, 0.6], "n": [100, 200],
    }
)  # fmt: skip
CHARTS = {
    "severity": severity_bars(
        pd.DataFrame({"use_case": "m", "severity": ["ROJO"], "rank": [0], "columns": [3]}), ES
    ),
    "variables": psi_bars(COLUMNS, SIZES, ES),
    "distributions": distribution_bars(CELLS, ES),
    "contributions": contribution_bars(CELLS, ES),
    "psi": psi_lines(PERIODS, "kind", SIZES, "PSI", ES),
    "performance": performance_lines(PERIODS, "ROC-AUC", ES),
    "shares": share_bars(PERIODS, "share", "#1f4e8c", "% de las filas", ES),
    "map": severity_map(PERIODS, ["plazo"], "period", "Período", ES),
    "missing": missing_dots(
        pd.DataFrame({"feature": ["plazo"], "baseline": [0.1], "current": [0.4]}), ES
    ),
    "foreign": foreign_bars(
        pd.DataFrame({"feature": ["plazo"], "kind": ["new"], "share": [0.4]}), ES
    ),
}


@pytest.fixture(params=CHARTS)
def drawn(request):
    return CHARTS[request.param].to_dict()


def texts(drawn):
    return json.dumps(drawn["datasets"], ensure_ascii=False)


def test_the_rows_stand_in_the_chart_itself(drawn):
    assert drawn["datasets"]
    assert "url" not in json.dumps(drawn).replace(drawn["$schema"], "")


def test_numbers_on_axes_are_written_in_spanish(drawn):
    assert drawn["config"]["locale"]["number"] == {
        "decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", ""],
    }  # fmt: skip


@pytest.mark.parametrize("chart", ["severity", "variables", "map"])
def test_a_severity_is_told_by_word_and_symbol_beside_its_colour(chart):
    assert "▲ ROJO" in texts(CHARTS[chart].to_dict())


@pytest.mark.parametrize("chart", ["variables", "psi"])
def test_the_sizes_that_count_are_drawn_with_their_names(chart):
    said = texts(CHARTS[chart].to_dict())
    assert "observar 0,1" in said
    assert "alarma 0,25" in said


def test_cells_that_moved_carry_their_change_in_points():
    said = texts(CHARTS["distributions"].to_dict())
    assert "▼ \N{MINUS SIGN}30,0" in said
    assert "▲ +30,0" not in said


@pytest.mark.parametrize(
    ("change", "expected"), [(0.1234, "▲ +12,3"), (-0.02, "▼ \N{MINUS SIGN}2,0")]
)
def test_a_change_is_told_in_points_with_its_sign(change, expected):
    assert points(change, ES) == expected


def test_a_huge_psi_leaves_the_other_bars_readable_and_keeps_its_figure():
    huge = COLUMNS.assign(psi=[9.0, 0.2])
    rows = next(
        rows
        for rows in psi_bars(huge, SIZES, ES).to_dict()["datasets"].values()
        if "feature" in rows[0]
    )
    assert [(row["drawn"], row["written"]) for row in rows] == [(1.0, "9,000"), (0.2, "0,200")]
