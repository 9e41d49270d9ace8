import numpy as np
import pandas as pd
import pytest

from clientela.pipelines.training.card_tables import (
    plot_calibration,
    plot_confusion_matrix,
    plot_feature_importance,
    plot_leaderboard,
)
from clientela.reporting.style import render_png

CLASSES = ("sin_compra", "baja", "alta")


def test_the_confusion_figure_writes_the_counts_in_the_cells():
    figure = plot_confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), CLASSES)
    (panel,) = figure.axes
    texts = [text.get_text() for text in panel.texts]
    assert texts == ["1", "1", "0", "0", "1", "0", "1", "0", "0"]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == list(CLASSES)


def test_the_calibration_figure_has_a_line_per_boundary():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    (panel,) = plot_calibration(np.array([0, 1, 2]), probabilities, CLASSES).axes
    first, second, _ = panel.lines
    assert first.get_label() == "más que sin_compra"
    assert np.asarray(first.get_xydata()).round(3).tolist() == [[0.2, 0], [0.8, 1], [0.9, 1]]
    assert np.asarray(second.get_xydata()).round(3).tolist() == [[0.1, 0], [0.5, 0], [0.8, 1]]


def test_each_point_of_the_calibration_figure_is_a_tenth_of_the_rows():
    promised = np.linspace(0.9, 0.99, 200)[::-1]
    truth = np.arange(200) % 2
    probabilities = np.column_stack([1 - promised, promised])
    (panel,) = plot_calibration(truth, probabilities, CLASSES[:2]).axes
    points = np.asarray(panel.lines[0].get_xydata())
    assert panel.get_xlim()[0] > 0.85
    assert points[:, 1].tolist() == [0.5] * 10
    assert points[:, 0] == pytest.approx(np.sort(promised).reshape(10, 20).mean(axis=1))


def test_figures_are_the_same_bytes_twice():
    table = pd.DataFrame(
        {
            "candidate": ["lineal", "mayoria"], "decision": ["median", "propia"],
            "features": ["all", "all"], "role": ["challenger", "rule"],
            "qwk": [0.4, 0.0], "qwk_sd": [0.02, 0.0],
        }
    )  # fmt: skip
    entries = [{"label": "edad", "mean_abs": 0.2, "direction": -0.4}]
    for make in (
        lambda: plot_leaderboard(table, "qwk"),
        lambda: plot_feature_importance(entries, CLASSES),
    ):
        assert render_png(make()) == render_png(make())
