import numpy as np
import pandas as pd
import pytest

from clientela.pipelines.eda.charts import (
    build_correlation_matrix,
    plot_class_counts,
    plot_class_mix,
    plot_correlations,
    plot_persistence,
)
from clientela.text import NumberFormat

NUMBERS = NumberFormat()


def test_correlations_become_a_symmetric_matrix():
    pairs = pd.DataFrame({"first": ["a", "a"], "second": ["b", "c"], "correlation": [0.5, np.nan]})
    found = build_correlation_matrix(pairs, ["a", "b", "c"])
    assert np.array_equal(found, found.T, equal_nan=True)
    assert found[0].tolist()[:2] == [1.0, 0.5]
    assert np.isnan(found[0, 2])


def test_columns_without_any_correlation_are_not_drawn():
    pairs = pd.DataFrame({"first": ["a", "a"], "second": ["b", "c"], "correlation": [0.5, np.nan]})
    labels = plot_correlations(pairs, NUMBERS).axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ["a", "b"]


def test_persistence_shows_shares_of_each_earlier_class(moves):
    panel = plot_persistence(moves, ["a", "b", "c", "d"], NUMBERS).axes[0]
    assert panel.texts[0].get_text() == "80,0 %\n(80)"
    assert panel.texts[4].get_text() == "30,0 %\n(15)"


def test_the_classes_of_each_fifth_add_up_to_all(target_frames):
    classes = ["sin_compra", "baja", "media", "alta"]
    figure = plot_class_mix(
        target_frames["bins"], ["edad"], {"edad": [50.0, 60.0, 65.0]}, classes, NUMBERS
    )
    tops = pd.Series([bar.get_y() + bar.get_height() for bar in figure.axes[0].patches])
    assert tops.tail(len(figure.axes[0].get_xticks())).tolist() == pytest.approx(
        [1.0] * len(figure.axes[0].get_xticks())
    )


@pytest.mark.parametrize(
    "figure",
    [
        plot_class_counts([], [], NUMBERS),
        plot_persistence(np.zeros((2, 2)), ["a", "b"], NUMBERS),
        plot_class_mix(pd.DataFrame(), [], {}, ["a"], NUMBERS),
        plot_correlations(pd.DataFrame({"first": [], "second": [], "correlation": []}), NUMBERS),
    ],
)
def test_without_data_a_figure_says_why(figure):
    assert len(figure.axes[0].texts) == 1
