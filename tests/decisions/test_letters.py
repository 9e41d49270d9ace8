import io
from datetime import date

import pytest
from docx import Document

from clientela.decisions.letters import load_texts, write_letter

DAY = date(2026, 1, 31)


@pytest.fixture
def write(lender, files):
    scorer, settings, _ = lender
    refused = next(file for file in files if file.decision == "refuse" and file.change is not None)

    def make(**changes):
        chosen = settings.model_copy(update=changes)
        return refused, write_letter(refused, "S-1 <7>", scorer.manifest, chosen, DAY)

    return make


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_letter_names_reasons_change_data_and_review_and_no_score(lender, write, language):
    scorer, settings, _ = lender
    file, letter = write(language=language, review_contact="Oficina 3")
    word = Document(io.BytesIO(letter.docx()))
    for text in (letter.html(), "\n".join(paragraph.text for paragraph in word.paragraphs)):
        assert file.reasons[0].sentences[language] in text
        assert "Oficina 3" in text
        assert scorer.manifest.version in text
        assert load_texts()[language]["draft"] in text
        assert f"{file.score:.3f}" not in text
        for field in scorer.manifest.read:
            label = settings.labels_en[field.name] if language == "en" else field.name
            assert f"{label}: " in text


def test_markup_in_an_application_is_shown_and_equal_cases_are_equal_files(write):
    (_, one), (_, other) = write(), write()
    assert "S-1 &lt;7&gt;" in one.html()
    assert (one.html(), one.docx()) == (other.html(), other.docx())


def test_an_approved_case_gets_no_letter_of_refusal(lender, files):
    scorer, settings, _ = lender
    approved = next(file for file in files if file.decision == "approve")
    with pytest.raises(ValueError, match="approve"):
        write_letter(approved, "S-1", scorer.manifest, settings, DAY)


@pytest.mark.parametrize("country", ["PE", "CO", "CL", "MX", "AR"])
def test_each_country_and_language_has_its_text(write, country):
    for language in ("es", "en"):
        _, letter = write(country=country, language=language)
        assert load_texts()[language]["law"][country] in letter.html()
