import io

import matplotlib as mpl
import numpy as np
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure

from clientela.reporting.style import (
    draw_heatmap,
    draw_ranked_bars,
    format_axis_numbers,
    make_panels,
    render_png,
    shorten_label,
    write_title,
)
from clientela.text import NumberFormat


def drawn():
    figure, (left, right) = make_panels(1, 2, 2.0)
    draw_ranked_bars(left, ["TECNOLOGÍA", "ROPA"], [2.0, 1.0], ["2", "1"])
    write_title(left, "Título")
    draw_heatmap(right, np.array([[0.0, 1.0]]), [["0", "1"]])
    return figure


def test_equal_figures_are_equal_bytes_without_program_or_date():
    first, second = render_png(drawn()), render_png(drawn())
    assert first == second
    assert b"Software" not in first
    assert b"Matplotlib" not in first


def test_drawing_leaves_the_global_style_alone():
    before = dict(mpl.rcParams)
    drawn()
    assert dict(mpl.rcParams) == before


def test_axes_are_written_in_the_readers_locale():
    figure, (panel,) = make_panels(1, 1, 2.0)
    panel.plot([0, 40_000])
    format_axis_numbers(panel, "y", NumberFormat())
    figure.draw_without_rendering()
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert "20 mil" in labels


def test_bars_of_unknown_length_carry_no_number():
    figure, (panel,) = make_panels(1, 1, 2.0)
    draw_ranked_bars(panel, ["a", "b"], [1.0, float("nan")], ["1", "-"])
    assert [text.get_text() for text in panel.texts] == [" 1"]
    assert figure.axes == [panel]


def test_long_names_are_shortened_to_the_length_asked_for():
    assert shorten_label("abcdef", 4) == "abc…"
    assert shorten_label("abcd", 4) == "abcd"


def test_a_figure_is_drawn_once_for_its_page_and_its_file(tmp_path):
    figure, (panel,) = make_panels(1, 1, 2.0)
    drawn = []
    figure.draw = lambda *given, really=figure.draw: (drawn.append(1), really(*given))
    write_title(panel, "Compras")
    shown = render_png(figure)
    once = len(drawn)
    file = MatplotlibDataset(
        filepath=str(tmp_path / "a.png"), save_args={"metadata": {"Software": None}, "dpi": 110}
    )
    file.save(figure)
    assert (tmp_path / "a.png").read_bytes() == shown
    assert len(drawn) == once == 1
    as_matplotlib_does = io.BytesIO()
    Figure.savefig(figure, as_matplotlib_does, dpi=110, metadata={"Software": None})
    assert as_matplotlib_does.getvalue() == shown
    figure.savefig(tmp_path / "b.png", dpi=60)
    assert (tmp_path / "b.png").read_bytes() != shown
