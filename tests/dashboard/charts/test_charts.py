"""Every chart is valid Vega-Lite, draws the rows it was given, and needs no network."""

import json

import pandas as pd
import pytest

from clientela.dashboard.pages.distributions import (
    format_share_change,
    plot_distribution_bars,
    plot_psi_bars,
    plot_psi_contributions,
)
from clientela.dashboard.pages.evolution import (
    plot_performance_lines,
    plot_psi_lines,
    plot_severity_map,
    plot_share_bars,
)
from clientela.dashboard.pages.overview import plot_severity_bars
from clientela.dashboard.pages.quality import plot_missing_rates, plot_unseen_values
from clientela.dashboard.texts import LANGUAGES
from clientela.reporting.drift_findings import EffectSizes

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
    "severity": plot_severity_bars(
        pd.DataFrame({"use_case": "m", "severity": ["ROJO"], "rank": [0], "columns": [3]}), ES
    ),
    "variables": plot_psi_bars(COLUMNS, SIZES, ES),
    "distributions": plot_distribution_bars(CELLS, ES),
    "contributions": plot_psi_contributions(CELLS, ES),
    "psi": plot_psi_lines(PERIODS, "kind", SIZES, "PSI", ES),
    "performance": plot_performance_lines(PERIODS, "ROC-AUC", ES),
    "shares": plot_share_bars(PERIODS, "share", "#1f4e8c", "% de las filas", ES),
    "map": plot_severity_map(PERIODS, ["plazo"], "period", "Período", ES),
    "missing": plot_missing_rates(
        pd.DataFrame({"feature": ["plazo"], "baseline": [0.1], "current": [0.4]}), ES
    ),
    "foreign": plot_unseen_values(
        pd.DataFrame({"feature": ["plazo"], "kind": ["new"], "share": [0.4]}), ES
    ),
}


def texts(drawn):
    return json.dumps(drawn["datasets"], ensure_ascii=False)


@pytest.mark.parametrize("chart", CHARTS)
def test_rows_stand_in_the_chart_itself_and_numbers_are_written_in_spanish(chart):
    drawn = CHARTS[chart].to_dict()
    assert drawn["datasets"]
    assert "url" not in json.dumps(drawn).replace(drawn["$schema"], "")
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
    assert format_share_change(change, ES) == expected


def test_a_huge_psi_leaves_the_other_bars_readable_and_keeps_its_figure():
    huge = COLUMNS.assign(psi=[9.0, 0.2])
    rows = next(
        rows
        for rows in plot_psi_bars(huge, SIZES, ES).to_dict()["datasets"].values()
        if "feature" in rows[0]
    )
    assert [(row["drawn"], row["written"]) for row in rows] == [(1.0, "9,000"), (0.2, "0,200")]
