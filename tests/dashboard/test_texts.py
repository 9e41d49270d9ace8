import re
from pathlib import Path
from string import Formatter

import pytest

import clientela.dashboard
from clientela.dashboard.texts import LANGUAGES, TEXTS

SOURCES = Path(clientela.dashboard.__file__).parent
COMPOSED = ("severity", "advice", "level", "view", "kind", "line", "steps", "bin", "help")


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_it_and_leave_the_same_places_open(key):
    text = TEXTS[key]
    assert text.es
    assert text.en
    assert places(text.es) == places(text.en)


def test_no_text_is_left_over():
    code = "\n".join(
        path.read_text("utf-8") for path in SOURCES.rglob("*.py") if path.name != "texts.py"
    )
    composed = re.compile(rf"({'|'.join(COMPOSED)})_|.*_limit$")
    assert [key for key in TEXTS if f'"{key}"' not in code and not composed.match(key)] == []


def test_spanish_comes_first():
    assert list(LANGUAGES) == ["es", "en"]


@pytest.mark.parametrize(
    ("code", "short", "percent"), [("es", "20,5 mil", "12,5 %"), ("en", "20.5 k", "12.5 %")]
)
def test_numbers_are_written_as_the_language_writes_them(code, short, percent):
    language = LANGUAGES[code]
    assert language.short(20_500) == short
    assert language.numbers.percent(0.125) == percent
