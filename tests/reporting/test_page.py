import re

import pandas as pd
import pytest

from clientela.reporting.page import Bullets, Image, Page, Section, Table, Text, render_html
from clientela.reporting.style import make_empty_figure
from clientela.text import NumberFormat


@pytest.fixture
def page():
    frame = pd.DataFrame(
        {"Mes": ["2024-01", None], "Monto": [1234567.0, float("nan")], "Parte": [0.125, 1.0]}
    )
    blocks = (
        Text("a < b & c", emphasis=True),
        Bullets(("uno", "dos")),
        Table("Meses", frame, {"Parte": "percent"}, "Nota"),
        Image("Figura", make_empty_figure("nada"), "Pie"),
    )
    return Page("Título", "Sub", ("Primero",), (Section("Uno", blocks), Section("Dos", ())))


@pytest.fixture
def document(page):
    return render_html(page, NumberFormat())


def test_a_page_opens_offline(document):
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", document)
    assert "http" not in document
    assert "@import" not in document


def test_what_comes_from_data_is_shown_and_not_obeyed(document):
    assert "a &lt; b &amp; c" in document


def test_every_section_can_be_reached(document):
    targets = re.findall(r'href="#(\w+)"', document)
    assert targets == re.findall(r'<section id="(\w+)"', document) == ["s1", "s2"]


def test_cells_are_written_in_the_readers_locale(document):
    assert '<td class="number">1.234.567</td>' in document
    assert '<td class="number">12,5 %</td>' in document
    assert document.count("<td>\N{EN DASH}</td>") == 1
    assert document.count('<td class="number">\N{EN DASH}</td>') == 1


def test_images_say_what_they_show(document):
    assert 'alt="Figura. Pie"' in document


def test_the_same_page_is_the_same_bytes(page, document):
    assert render_html(page, NumberFormat()) == document
