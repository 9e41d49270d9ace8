"""Links lead somewhere, and every path that the documentation names is there."""

import re
from pathlib import Path

import pytest
from tests.docs.markdown import headings, inline_code, pages, text_of, without_blocks

LARGEST_IMAGE = 200_000
FOLDERS = (
    "conf/",
    "src/",
    "tests/",
    "docs/",
    "notebooks/",
    "benchmarks/",
    "schedules/",
    "docker/",
    "tools/",
    ".github/",
)
# made by the page on adding a use case, which has a test of its own
ADDED = ("purchase_home", "value_segments", "returns")
# written when somebody approves a model, which no run does: tests/pipelines/deployment
ON_APPROVAL = ("06_models/served",)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchor(words: str) -> str:
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def links(page: str) -> list[str]:
    found = LINK.findall(without_blocks(page))
    return [link for link in found if not link.startswith(("http://", "https://"))]


def here(code: str, line: str) -> bool:
    """Whether a piece of code names a place that should exist now."""
    added = any(name in code for name in ADDED)
    return not (re.search(r"[<>*…{$ ]", code) or "planned" in line or added)


@pytest.mark.parametrize("page", pages())
def test_each_link_leads_to_a_file_and_its_heading(page: str, project_root: Path):
    for link in links(page):
        path, _, heading = link.partition("#")
        target = ((project_root / page).parent / path).resolve() if path else project_root / page
        assert target.exists(), link
        if heading:
            name = target.relative_to(project_root).as_posix()
            assert heading in {anchor(words) for _, words in headings(name)}, link


@pytest.mark.parametrize("page", pages())
def test_each_path_of_the_project_exists(page: str, project_root: Path):
    named = [code for code, line in inline_code(page) if here(code, line)]
    paths = [c for c in named if c.startswith(FOLDERS) and not c.startswith("conf/local")]
    # where an older project kept something stands in the first column of the map
    of_others = ("src/Cargar", "src/Comprension", "src/ft_", "src/model_")
    missing = [p for p in paths if not p.startswith(of_others) and not (project_root / p).exists()]
    assert missing == []


@pytest.mark.slow
def test_each_place_of_the_data_is_written_by_a_run(sample):
    named = {
        code
        for page in pages()
        for code, line in inline_code(page)
        if here(code, line) and code.startswith("data/0")
    }
    places = {code.removeprefix("data/") for code in named}
    assert len(places) > 15
    expected = sorted(places - set(ON_APPROVAL))
    assert [place for place in expected if not (sample.data / place).exists()] == []


def test_images_are_small(project_root: Path):
    images = sorted((project_root / "docs/images").iterdir())
    assert images
    assert [image.name for image in images if image.stat().st_size > LARGEST_IMAGE] == []


def test_each_image_is_shown(project_root: Path):
    shown = "".join(text_of(page) for page in pages())
    images = [path.name for path in (project_root / "docs/images").iterdir()]
    assert [name for name in images if f"docs/images/{name}" not in shown] == []
