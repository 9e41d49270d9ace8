from dataclasses import replace

import numpy as np
import pytest

from clientela.pipelines.segmentation.report_figures import (
    NOTHING_COMPARED,
    plot_elbow,
    plot_silhouette,
)
from clientela.reporting.style import render_png


@pytest.fixture
def report(make_report):
    return make_report()


@pytest.fixture
def evaluation(report):
    return report.evaluation


def chosen(report, evaluation, **choice):
    return replace(report, evaluation=evaluation, choice=choice)


def written(panel):
    return [text.get_text() for text in panel.get_legend().get_texts()]


def test_the_elbow_and_the_number_used_are_both_marked(report, evaluation):
    (panel,) = plot_elbow(chosen(report, evaluation, k=3, knee=5)).axes
    assert written(panel) == ["codo: k = 5", "k usado: 3"]
    inertia, knee, used = panel.lines
    np.testing.assert_array_equal(inertia.get_xydata(), evaluation[["k", "inertia"]])
    assert set(knee.get_xdata()) == {5}
    assert set(used.get_xdata()) == {3}


def test_no_elbow_is_said(report, evaluation):
    (panel,) = plot_elbow(chosen(report, evaluation, k=3, knee=None)).axes
    assert written(panel) == ["sin codo claro", "k usado: 3"]
    assert len(panel.lines[1].get_xdata()) == 0


def test_a_number_used_that_was_not_compared_still_stands_on_the_axis(report, evaluation):
    (panel,) = plot_elbow(chosen(report, evaluation, k=12, knee=None)).axes
    assert panel.get_xticks().tolist() == [*evaluation["k"], 12]


def test_the_silhouette_stands_beside_chance_and_stability_beside_its_minimum(report, evaluation):
    left, right = plot_silhouette(chosen(report, evaluation, k=3)).axes
    assert written(left) == ["azar ± 2 desv.", "azar", "los datos", "k usado: 3"]
    band = left.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx(0.09 - 2 * 0.012)
    assert band.max() == pytest.approx(0.09 + 2 * 0.012)
    assert set(right.lines[0].get_ydata()) == {0.8}


def test_figures_that_could_not_be_measured_leave_gaps(report, evaluation):
    holes = evaluation.assign(
        silhouette=np.nan, null_silhouette=np.nan, null_sd=np.nan, stability=np.nan
    )
    assert render_png(plot_silhouette(chosen(report, holes, k=3))).startswith(b"\x89PNG")


def test_without_a_comparison_the_figures_say_so(report, evaluation):
    nothing = evaluation.head(0)
    for figure in (
        plot_elbow(chosen(report, nothing, k=3, knee=None)),
        plot_silhouette(chosen(report, nothing, k=3)),
    ):
        assert figure.axes[0].texts[0].get_text() == NOTHING_COMPARED
