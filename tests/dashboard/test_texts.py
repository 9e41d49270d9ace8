from string import Formatter

import pytest

from clientela.dashboard.texts import LANGUAGES, TEXTS


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_say_everything_and_leave_the_same_places_open():
    assert list(LANGUAGES) == ["es", "en"]
    assert [key for key, text in TEXTS.items() if not (text.es and text.en)] == []
    differing = [key for key, text in TEXTS.items() if places(text.es) != places(text.en)]
    assert differing == []


@pytest.mark.parametrize(
    ("code", "short", "percent"), [("es", "20,5 mil", "12,5 %"), ("en", "20.5 k", "12.5 %")]
)
def test_numbers_are_written_as_the_language_writes_them(code, short, percent):
    language = LANGUAGES[code]
    assert language.short(20_500) == short
    assert language.numbers.percent(0.125) == percent
