"""The two READMEs say the same."""

import re

from tests.docs.markdown import FENCE, READMES, headings, text_of

ENGLISH, SPANISH = READMES
LANGUAGES_SWITCH = set(READMES)


def code_of(page: str) -> list[tuple[str, list[str]]]:
    """Language and lines of each block, without comments, which are translated."""
    return [
        (language, [re.split(r"\s#", line)[0].rstrip() for line in text.splitlines()])
        for language, text in FENCE.findall(text_of(page))
        if language != "text"
    ]


def targets(page: str) -> list[str]:
    found = re.findall(r"\]\(([^)]+)\)", text_of(page))
    return [target for target in found if target not in LANGUAGES_SWITCH]


def test_both_have_the_same_headings_in_number_and_level():
    assert [level for level, _ in headings(ENGLISH)] == [level for level, _ in headings(SPANISH)]


def test_both_show_the_same_code():
    assert code_of(ENGLISH) == code_of(SPANISH)


def test_both_show_as_many_text_blocks_and_the_same_messages():
    def messages(page: str) -> list[str]:
        found = [text for language, text in FENCE.findall(text_of(page)) if language == "text"]
        return [text for text in found if text.startswith("Error")]

    assert messages(ENGLISH) == messages(SPANISH)


def test_both_lead_to_the_same_places_in_the_same_order():
    assert targets(ENGLISH) == targets(SPANISH)


def test_both_tables_have_the_same_rows():
    def first_cells(page: str) -> list[int]:
        lines = text_of(page).splitlines()
        return [line.count("|") for line in lines if line.startswith("|")]

    assert first_cells(ENGLISH) == first_cells(SPANISH)


def test_both_give_the_same_figures():
    def figures(page: str) -> list[str]:
        # English and Spanish write .434 and 0,434, 4,000 and 4.000
        found = re.findall(r"(?<![\w/])[0-9]*[.,][0-9]+", FENCE.sub("", text_of(page)))
        return sorted(re.sub(r"^0?[.,]", "", figure).replace(",", ".") for figure in found)

    assert figures(ENGLISH) == figures(SPANISH)
