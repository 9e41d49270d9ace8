"""Letters, register and desk as a lender uses them, from an approved model on."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import playwright.sync_api as playwright
import pytest
from tests.e2e.browsing import CHROMIUM, PATIENCE, QUIET, free_port, serving
from tests.small_project import variables

PORTS = range(32_000, 32_700)
LETTERS = "data/07_model_output/credit_preauth/letters"
REGISTER = "data/07_model_output/decisions.sqlite"

pytestmark = pytest.mark.slow


def environment(project: Path) -> dict[str, str]:
    return variables(project) | {"CLIENTELA_REGISTER_KEY": "k" * 40}


def command(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]


def run(project: Path, *words: str) -> str:
    done = subprocess.run(
        command(*words),
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def records(project: Path) -> list[dict[str, object]]:
    with closing(sqlite3.connect(project / REGISTER)) as connection:
        rows = connection.execute("SELECT content FROM decision_register ORDER BY number")
        return [json.loads(content) for (content,) in rows.fetchall()]


@pytest.fixture(scope="module")
def lender(finished_project: Path) -> Path:
    """A project with an approved model of credit pre-authorisation."""
    run(finished_project, "kedro", "run", "--pipelines=deployment", "--tags=credit_preauth")
    run(finished_project, "clientela", "approve", "credit_preauth", "--yes")
    return finished_project


def test_letters_killed_at_any_moment_are_whole_and_recorded_once(lender: Path):
    letters = lender / LETTERS
    words = ["clientela", "letters", "credit_preauth", "--date=2026-01-31"]
    killed = subprocess.Popen(
        command(*words),
        cwd=lender,
        env=environment(lender),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + PATIENCE
    while not list(letters.glob("*.html")) and time.monotonic() < give_up:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    halves = [path for path in letters.iterdir() if path.suffix == ".html"]
    assert all(path.read_text("utf-8").rstrip().endswith("</html>") for path in halves)
    run(lender, *words)
    first = {path.name: path.read_bytes() for path in letters.iterdir()}
    made = records(lender)
    refused = [entry for entry in made if entry["decision"] == "refuse"]
    assert {path.suffix for path in letters.iterdir()} == {".html", ".docx"}
    assert len(first) == 2 * len(refused) > 0
    run(lender, *words)
    assert {path.name: path.read_bytes() for path in letters.iterdir()} == first
    assert records(lender) == made
    assert "whole" in run(lender, "clientela", "register", "verify")
    content = (lender / REGISTER).read_bytes()
    assert not any(name.partition(".")[0].encode() in content for name in first)


@pytest.fixture(scope="module")
def desk(lender: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a desk that answers."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    port, log = free_port(PORTS), tmp_path_factory.mktemp("desk") / "log"
    words = ["-m", "streamlit", "run", "src/clientela/dashboard/desk.py", f"--server.port={port}"]
    address = f"http://127.0.0.1:{port}"
    with serving(words, lender, environment(lender), f"{address}/_stcore/health", log):
        yield address


def test_an_analyst_finds_refers_and_overrides_only_with_a_reason(lender: Path, desk: str):
    key = next(path.stem for path in sorted((lender / LETTERS).glob("*.html")))
    before = len(records(lender))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(desk)
        page.get_by_label("Número de la solicitud").first.fill(key)
        page.keyboard.press("Enter")
        page.get_by_text("Razones", exact=True).first.wait_for()
        page.get_by_text("aprobar", exact=True).last.click()
        page.get_by_label("Quién decide").first.fill("ana")
        record = page.get_by_role("button", name="Registrar la decisión").first
        record.click()
        page.get_by_text("Se aparta de lo que dice el modelo").wait_for()
        assert len(records(lender)) == before
        page.get_by_label("Razón para apartarse del modelo").first.click()
        page.get_by_role("option", name="garantía o codeudor").click()
        record.click()
        page.get_by_text(f"Registrada con el número {before + 1}").wait_for()
        page.get_by_text("derivar", exact=True).last.click()
        record.click()
        page.get_by_text(f"Registrada con el número {before + 2}").wait_for()
        browser.close()
    overridden, referred = records(lender)[-2:]
    assert (overridden["decision"], overridden["override"]) == ("approve", "garantia")
    assert (overridden["model_decision"], overridden["analyst"]) == ("refuse", "ana")
    assert referred["decision"] == "refer"
    assert "whole" in run(lender, "clientela", "register", "verify")
