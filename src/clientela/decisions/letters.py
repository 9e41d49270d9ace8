"""The letter to a person whose application is refused, as HTML and as a Word file.

It names the reasons, what would change the decision, the data that were used and how to have a
person review it; no score, and no name that only the project knows. Equal cases give equal bytes.
"""

import io
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from clientela.decisions.case_file import CaseFile, DecisionSettings
from clientela.models.stored_model import EARLIEST_DATE
from clientela.registry.manifest import ServedManifest
from clientela.text import NumberFormat

DOCUMENT = "word/document.xml"
WORD_DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document '
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{}<w:sectPr>'
    '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1247" w:right="1247" w:bottom="1247" '
    'w:left="1247" w:header="720" w:footer="720" w:gutter="0"/></w:sectPr></w:body></w:document>'
)
WORD_PARAGRAPH = (
    '<w:p><w:pPr><w:pStyle w:val="{}"/></w:pPr><w:r><w:t xml:space="preserve">{}</w:t></w:r></w:p>'
)

# How countries write numbers; those that are not named write them as Spain does.
NUMBERS = {
    "PE": NumberFormat(thousands=",", decimal="."),
    "MX": NumberFormat(thousands=",", decimal="."),
}
ENGLISH = NumberFormat(thousands=",", decimal=".")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, with a list behind it where it introduces one."""

    text: str
    bullets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """A letter before it is laid out; holds personal data."""

    language: str
    draft: str
    title: str
    paragraphs: tuple[Paragraph, ...]

    def html(self) -> str:
        """One page that opens without a network."""
        return str(_get_template("letter.html.j2").render(vars(self)))

    def docx(self) -> bytes:
        """The same as a Word file."""
        letter = io.BytesIO(_build_empty_docx())
        letter.seek(0, io.SEEK_END)
        body = [("IntenseQuote", self.draft), ("Heading1", self.title)]
        for paragraph in self.paragraphs:
            body.append(("Normal", paragraph.text))
            body += [("ListBullet", item) for item in paragraph.bullets]
        text = "".join(WORD_PARAGRAPH.format(style, escape(words)) for style, words in body)
        # what never changes is compressed once, and the text of this letter is added to it
        with ZipFile(letter, "a", ZIP_DEFLATED) as archive:
            archive.writestr(_make_entry(DOCUMENT), WORD_DOCUMENT.format(text))
        return letter.getvalue()


def write_letter(
    file: CaseFile, key: str, manifest: ServedManifest, settings: DecisionSettings, day: date
) -> Letter:
    """The letter of a refused case.

    Args:
        file: Its case file; `decision` is `refuse`.
        key: What applicant and lender call the application.
        day: Date of the letter.
    """
    if file.decision != "refuse":
        raise ValueError(f"a letter of refusal for a case that is decided as {file.decision!r}")
    language, texts = settings.language, load_texts()[settings.language]
    labels = {field.name: field.description or field.name for field in manifest.fields}
    if language == "en":
        labels |= settings.labels_en
    numbers = ENGLISH if language == "en" else NUMBERS.get(settings.country, NumberFormat())

    def show(value: Any) -> str:
        return numbers.word(value, str(texts["missing"]))

    shown_day = f"{day:%d/%m/%Y}" if language == "es" else day.isoformat()
    reasons = tuple(reason.sentences[language] for reason in file.reasons)
    change = Paragraph(texts["no_change"])
    if file.change is not None:
        changed = tuple(
            texts["changed"].format(label=labels[name], before=show(before), after=show(after))
            for name, (before, after) in file.change.columns.items()
        )
        change = Paragraph(texts["change"], changed)
    data = tuple(
        texts["datum"].format(label=labels[field.name], value=show(file.case.get(field.name)))
        for field in manifest.read
    )
    return Letter(
        language=language,
        draft=texts["draft"],
        title=texts["title"],
        paragraphs=(
            Paragraph(texts["reference"].format(key=key, date=shown_day)),
            Paragraph(texts["decision"].format(lender=settings.lender)),
            Paragraph(texts["reasons"], reasons),
            change,
            Paragraph(texts["review"].format(contact=settings.review_contact)),
            Paragraph(texts["law"][settings.country]),
            Paragraph(texts["data"], data),
            Paragraph(texts["model"].format(version=manifest.version)),
        ),
    )


@cache
def load_texts() -> dict[str, dict[str, Any]]:
    """Language to the texts of letters."""
    stored = files("clientela.decisions").joinpath("templates/letters.yml").read_text("utf-8")
    texts: dict[str, dict[str, Any]] = yaml.safe_load(stored)
    return texts


@cache
def _get_template(name: str) -> Any:
    loader = PackageLoader("clientela.decisions")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(name)


def _make_entry(name: str) -> ZipInfo:
    """A compressed entry with a constant date."""
    entry = ZipInfo(name, EARLIEST_DATE)
    entry.compress_type = ZIP_DEFLATED
    return entry


@cache
def _build_empty_docx() -> bytes:
    """A Word file without its text: styles and settings, with constant dates."""
    from docx import Document  # noqa: PLC0415 - takes a moment, and only letters need it

    written, empty, document = io.BytesIO(), io.BytesIO(), Document()
    # what a letter does not need is left out: each part costs time again in every letter
    for relations in (document.part.rels, document.part.package.rels):
        for name, relation in list(relations.items()):
            if not relation.reltype.endswith(("/styles", "/numbering", "/officeDocument")):
                del relations[name]
    document.save(written)
    with ZipFile(written) as source, ZipFile(empty, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != DOCUMENT:
                target.writestr(_make_entry(name), source.read(name))
    return empty.getvalue()
