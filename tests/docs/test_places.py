"""Links lead somewhere, and every path that the documentation names is there."""

import re
from pathlib import Path

from kedro.framework.project import pipelines
from tests.docs.markdown import headings, inline_code, pages, without_blocks
from tests.kedro_session import session_of

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
ON_APPROVAL = "06_models/served"
# where an older project kept something stands in the first column of the map
OF_OTHERS = ("src/Cargar", "src/Comprension", "src/ft_", "src/model_", "conf/local")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchor(words: str) -> str:
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def named() -> list[tuple[str, str]]:
    """Each page with each piece of code on it that names a place which should exist now."""
    return [
        (page, code)
        for page in pages()
        for code, line in inline_code(page)
        if not re.search(r"[<>*…{$ ]", code)
        and "planned" not in line
        and not any(name in code for name in ADDED)
    ]


def test_links_lead_to_files_and_their_headings(project_root: Path):
    for page in pages():
        for link in LINK.findall(without_blocks(page)):
            if link.startswith(("http://", "https://")):
                continue
            path, _, heading = link.partition("#")
            target = ((project_root / page).parent / path).resolve() if path else None
            assert target is None or target.exists(), (page, link)
            if heading:
                name = page if target is None else target.relative_to(project_root).as_posix()
                assert heading in {anchor(words) for _, words in headings(name)}, (page, link)


def test_paths_of_the_project_exist(project_root: Path):
    paths = [(page, code) for page, code in named() if code.startswith(FOLDERS)]
    assert len(paths) > 15
    missing = [one for one in paths if not (project_root / one[1]).exists()]
    assert [one for one in missing if not one[1].startswith(OF_OTHERS)] == []


def test_places_of_the_data_are_written_by_a_stage(project_root: Path, data_root: Path):
    with session_of(project_root, env="test") as session:
        catalog = session.load_context().catalog
        described = [catalog.get(name)._describe() for name in sum(pipelines.values()).datasets()]
    fields = ("filepath", "path", "database")
    written = {str(one[field]) for one in described for field in fields if one.get(field)}
    places = {code.removeprefix("data/") for _, code in named() if code.startswith("data/0")}
    assert len(places) > 15
    unknown = [
        place
        for place in sorted(places - {ON_APPROVAL})
        if not any(f"{file}/".startswith(f"{data_root}/{place}") for file in written)
    ]
    assert unknown == []
