"""What the tests need to see of a Markdown page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.es.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    page: str
    language: str
    text: str


def pages() -> list[str]:
    """Every page of the documentation, by its path in the project."""
    top = ("README.md", "README.es.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    below = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return [*top, *below]


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(language: str, *chosen: str) -> list[Block]:
    """The fenced blocks of a language, on the chosen pages or on all."""
    return [
        Block(page, found, text)
        for page in chosen or pages()
        for found, text in FENCE.findall(text_of(page))
        if found == language
    ]


def without_blocks(page: str) -> str:
    return FENCE.sub("", text_of(page))


def headings(page: str) -> list[tuple[int, str]]:
    """Level and words of each heading."""
    found = re.findall(r"^(#+) (.+)$", without_blocks(page), re.MULTILINE)
    return [(len(marks), words) for marks, words in found]


def inline_code(page: str) -> Iterator[tuple[str, str]]:
    """Each piece of inline code, with the line it stands in."""
    for line in without_blocks(page).splitlines():
        for code in re.findall(r"`([^`]+)`", line):
            yield code, line


def mentions(page: str) -> set[str]:
    """Every word in inline code or in a fenced block of a page, and each inline code whole."""
    inline = [code for code, _ in inline_code(page)]
    code = inline + [text for _, text in FENCE.findall(text_of(page))]
    return {word for piece in code for word in re.findall(r"[\w.-]+", piece)} | {*inline}


def commands(*chosen: str) -> list[str]:
    """Each command line of the bash blocks, without comments, once."""
    lines = [line for block in blocks("bash", *chosen) for line in block.text.splitlines()]
    return list(dict.fromkeys(line.split(" #")[0].strip() for line in lines if line.strip()))
