from clientela.reporting.style import format_axis_label, label_heatmap_axes, make_panels, render_png


def test_dollar_signs_are_written_and_not_read_as_a_formula():
    figure, (panel,) = make_panels(1, 1, 2.0)
    panel.set_title(format_axis_label(r"Todo a $1_x y $2^{"))
    assert render_png(figure).startswith(b"\x89PNG")


def test_names_that_are_too_long_end_in_an_ellipsis():
    assert format_axis_label("Restaurantes y delivery a domicilio") == "Restaurantes y delive…"


def test_many_names_lean_and_few_stand():
    for count, angle in ((3, 0.0), (12, 38.0)):
        _, (panel,) = make_panels(1, 1, 2.0)
        label_heatmap_axes(panel, ["uno"], ["rubro"] * count)
        assert {tick.get_rotation() for tick in panel.get_xticklabels()} == {angle}
        assert [tick.get_text() for tick in panel.get_yticklabels()] == ["uno"]
