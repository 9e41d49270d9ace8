from dataclasses import replace

from clientela.pipelines.eda.charts import plot_category_columns, plot_numeric_columns
from clientela.text import NumberFormat


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]


def test_every_number_that_varies_has_a_panel(profile):
    assert titles(plot_numeric_columns(profile, NumberFormat())) == [
        "total_gasto",
        "gasto_doble",
        "log_total_gasto",
        "saldo",
        "edad",
        "casi_fijo",
        "es_raro",
        "log_cola",
        "puntaje",
    ]


def test_the_bars_of_a_panel_hold_every_present_row(profile, model_input):
    panel = plot_numeric_columns(profile, NumberFormat()).axes[4]
    heights = sum(bar.get_height() for bar in panel.patches)
    assert heights == model_input["edad"].notna().sum()


def test_categories_that_are_not_named_are_summed_up_in_a_rest(profile):
    only_f = profile.categories[profile.categories["value"] != "M"]
    panel = plot_category_columns(replace(profile, categories=only_f), NumberFormat()).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["F", "(resto)"]


def test_a_table_without_numbers_or_categories_says_so(profile):
    bare = replace(profile, columns=profile.columns.head(1), categories=profile.categories.head(0))
    for figure in (
        plot_numeric_columns(bare, NumberFormat()),
        plot_category_columns(bare, NumberFormat()),
    ):
        assert figure.axes[0].texts[0].get_text().startswith("Ninguna columna")
