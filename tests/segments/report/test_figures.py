from dataclasses import replace

import pytest

from clientela.pipelines.segmentation.report_figures import (
    plot_projection,
    plot_segments,
    plot_sizes,
)
from clientela.reporting.style import render_png


def test_the_same_run_draws_the_same_bytes(make_report):
    first, second = (plot_segments(make_report()) for _ in range(2))
    assert set(first) == {"sizes", "scores", "elbow", "silhouette", "projection", "migration"}
    assert {name: render_png(figure) for name, figure in first.items()} == {
        name: render_png(figure) for name, figure in second.items()
    }


@pytest.mark.parametrize(("segments", "rubros"), [(2, 3), (10, 16)])
def test_few_and_many_segments_are_drawn_without_a_warning(make_report, segments, rubros):
    for figure in plot_segments(make_report(segments, rubros)).values():
        assert render_png(figure).startswith(b"\x89PNG")


def test_every_segment_has_a_look_of_its_own_in_the_projection(make_report):
    report = make_report(10, 16)
    (panel,) = plot_projection(report).axes
    drawn = panel.collections
    looks = {(str(c.get_facecolor()), c.get_paths()[0].vertices.shape) for c in drawn}
    assert len(looks) == len(drawn) == 10
    legend = [text.get_text() for text in panel.get_legend().get_texts()]
    assert legend == [f"{i} · {name}" for i, name in report.identity.names.items()]
    assert {text.get_text() for text in panel.texts} == {str(i) for i in range(10)}


def test_a_segment_keeps_its_look_when_others_end(make_report):
    report = make_report(4)
    points = report.projection["points"]
    fewer = {**report.projection, "points": points[points["cluster_id"] >= 2]}
    looks = [
        {c.get_label(): str(c.get_facecolor()) for c in figure.axes[0].collections}
        for figure in (
            plot_projection(report),
            plot_projection(replace(report, projection=fewer)),
        )
    ]
    assert looks[1] == {label: looks[0][label] for label in looks[1]}
    assert len(looks[1]) == 2


def test_axes_say_how_much_they_explain(make_report):
    report = make_report()
    axes = report.projection["axes"].assign(explained=lambda t: t["axis"].map({1: 0.25, 2: 0.125}))
    figure = plot_projection(replace(report, projection={**report.projection, "axes": axes}))
    assert figure.axes[0].get_xlabel() == "eje 1: 25,0 % de la variación"
    assert figure.axes[0].get_ylabel() == "eje 2: 12,5 % de la variación"


def test_sizes_show_customers_and_spend_of_every_segment(make_report):
    report = make_report()
    segments = report.profile["segments"]
    (panel,) = plot_sizes(report).axes
    names = [tick.get_text() for tick in panel.get_yticklabels()]
    assert names == segments["cluster_nombre"].tolist()
    lengths = [bar.get_width() for bar in panel.patches]
    assert lengths == [*segments["clientes_share"], *segments["gasto_share"]]


def test_points_are_drawn_alike_in_whatever_order_they_were_stored(make_report):
    report = make_report()
    points = report.projection["points"].sample(frac=1, random_state=6)
    stored = {**report.projection, "points": points}
    assert render_png(plot_projection(replace(report, projection=stored))) == render_png(
        plot_projection(report)
    )


def test_a_spend_share_that_is_unknown_is_a_dash(make_report):
    report = make_report()
    segments = report.profile["segments"].assign(gasto_share=float("nan"))
    (panel,) = plot_sizes(replace(report, profile={"segments": segments})).axes
    assert [text.get_text() for text in panel.texts[-4:]] == [" \N{EN DASH}"] * 4


def test_names_with_dollar_signs_are_drawn(make_report):
    report = make_report(2, 3, {0: "Todo a $1 y $2^{", 1: "Ropa"})
    report = replace(report, choice=report.choice | {"knee": 3})
    for figure in plot_segments(report).values():
        assert render_png(figure).startswith(b"\x89PNG")


def test_without_customers_the_figures_say_so(make_report):
    report = make_report()
    points = report.projection["points"].head(0)
    for figure in (
        plot_sizes(replace(report, profile={"segments": report.profile["segments"].head(0)})),
        plot_projection(replace(report, projection={**report.projection, "points": points})),
    ):
        assert figure.axes[0].texts[0].get_text() == "No hay clientes activos."
