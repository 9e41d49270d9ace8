import re
from dataclasses import replace

import pytest

from clientela.pipelines.segmentation.report import build_segment_page
from clientela.pipelines.segmentation.report_figures import plot_segments
from clientela.reporting.page import render_html
from clientela.reporting.style import make_empty_figure
from clientela.text import NumberFormat

SECTIONS = [
    "Segmentos", "Quién es cada uno", "Rubros", "Cómo se eligió k", "Proyección",
    "Estabilidad y migración", "Pertenencia parcial", "Cómo leer esto y límites",
]  # fmt: skip


def document(report):
    return render_html(build_segment_page(report, plot_segments(report)), report.settings.numbers)


def text_of(report):
    """The document around its images, which are dear to draw and hold any letters."""
    names = ("sizes", "scores", "elbow", "silhouette", "projection", "migration")
    page = build_segment_page(report, dict.fromkeys(names, make_empty_figure("")))
    return re.sub(r"base64,[^\"]+", "", render_html(page, report.settings.numbers))


@pytest.fixture
def report(make_report):
    return make_report()


def test_a_reader_finds_every_section_in_order(report):
    page = build_segment_page(report, plot_segments(report))
    assert page.title == "Segmentos de clientes"
    assert [section.title for section in page.sections] == SECTIONS
    assert page.subtitle == (
        "Modelo del 2024-06-30 · 655 clientes · 3 segmentos · modelo anterior: 2024-06-23"
    )


@pytest.mark.parametrize(("segments", "rubros"), [(2, 3), (10, 16)])
def test_the_page_tells_of_every_segment_and_rubro(make_report, segments, rubros):
    report = make_report(segments, rubros)
    text = text_of(report)
    for name in report.identity.titles.values():
        assert f"<li>{name}: " in text
        assert f"<td>{name}</td>" in text
    for reason in report.identity.name_reasons.values():
        assert reason in text


def test_two_runs_give_the_same_bytes(make_report):
    assert document(make_report()) == document(make_report())


def test_nobody_is_named(report):
    assert "id_cliente" not in text_of(report)
    assert "dni" not in text_of(report)


def test_markup_in_names_is_shown_and_not_obeyed(make_report):
    text = text_of(make_report(2, 3, {0: "<script>alert(1)</script>", 1: "Ropa & más"}))
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;: " in text
    assert "Ropa &amp; más: " in text


def test_a_first_run_has_nothing_to_compare_with_and_says_so(report):
    sentence = "Es el primer modelo: no hay uno anterior con el que comparar."
    first = replace(
        report,
        migration={"previous": None, "current": "2024-06-30", "sentence": sentence},
        migration_matrix=report.migration_matrix.head(0),
    )
    text = text_of(first)
    assert text.count(sentence) == 2
    assert "modelo anterior: no hay" in text
    assert "Se comparan los modelos" not in text


def test_births_and_deaths_are_named_with_their_id(report):
    moved = report.migration | {"deaths": [{"id": 7, "name": "Viajes"}], "births": []}
    text = text_of(replace(report, migration=moved))
    assert "Segmentos que nacen (id): ninguno. Segmentos que terminan: Viajes (7)." in text


def test_models_without_a_customer_in_common_have_no_shares(report):
    apart = {
        "compared": 0,
        "same_segment_share": None,
        "nearest_share": None,
        "adjusted_rand": None,
    }
    text = text_of(replace(report, migration=report.migration | apart))
    assert "Siguen en su segmento: \N{EN DASH}; " in text
    assert "Acuerdo entre ambos repartos: \N{EN DASH} (" in text


def test_partial_membership_is_told_only_where_it_was_asked_for(report):
    assert "Sin un segmento claro (ninguno llega al 60 %): 23,0 %" in text_of(report)
    for absent in (None, {"mode": "none"}):
        assert "Pertenencia parcial" not in text_of(replace(report, membership=absent))


def test_a_number_of_segments_outside_the_compared_ones_is_no_obstacle(report):
    text = text_of(replace(report, choice=report.choice | {"k": 12, "basis": "fixed"}))
    assert all(sentence in text for sentence in report.choice["sentences"])


def test_without_demographics_the_page_says_so(report):
    nothing = {**report.profile, "demographics": report.profile["demographics"].head(0)}
    text = text_of(replace(report, profile=nothing))
    assert "No hay datos demográficos que mostrar." in text


def test_numbers_are_written_as_the_readers_do(report):
    american = NumberFormat(thousands=",", decimal=".")
    settings = report.settings.model_copy(update={"numbers": american})
    text = text_of(replace(report, settings=settings))
    assert "95.8 %" in text
    assert "95,8 %" not in text
