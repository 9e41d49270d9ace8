"""The dashboard as a person sees it in a browser, and the same from S3 as from local folders."""

import io
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import playwright.sync_api as playwright
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from tests.dashboard.shop import monitored_models
from tests.e2e.browsing import CHROMIUM, PATIENCE, QUIET, free_port, serving
from tests.e2e.conftest import reached_by
from tests.small_project import variables

from clientela.dashboard.components import BASELINE, CURRENT, SEVERITY_COLOURS

APP = "src/clientela/dashboard/app.py"
# below those that the system gives to clients, apart from those of the lineage
PORTS = range(24_000, 32_000)
ENVIRONMENTS = ("test", "aws")
OWN_BUCKET = "un-tablero"
VIEWS = ("summary", "variables", "distributions", "evolution", "quality", "segments", "alerts")
CHART = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"
RED = SEVERITY_COLOURS["ROJO"]
DRAWN = {
    "Variables": ("PSI por variable", (RED, SEVERITY_COLOURS["VERDE"])),
    "Distribuciones": ("del PSI viene de", (BASELINE, CURRENT)),
    "Evolución": ("Severidad por variable y período", (RED, CURRENT)),
    "Anomalías y faltantes": ("Faltantes: base y período actual", (BASELINE, CURRENT)),
    "Segmentos": ("PSI por variable y segmento", (RED,)),
}
"""View to words that only it has, and colours of its charts."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def places(
    project_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
    object_store: Mapping[str, str],
    aws_client: Callable[[str], Any],
) -> dict[str, dict[str, str]]:
    """Environment to the variables that lead to what monitoring wrote there."""
    # what other tests leave in theirs would be shown too
    aws_client("s3").create_bucket(Bucket=OWN_BUCKET)
    local = {"CLIENTELA_TEST_ROOT": str(tmp_path_factory.mktemp("shop"))}
    found = dict(zip(ENVIRONMENTS, (local, {**object_store, "BUCKET": OWN_BUCKET}), strict=True))
    for env, given in found.items():
        with reached_by(given):
            monitored_models(project_root, env)
    return found


def shown(page: AppTest) -> list[Any]:
    """Every text, figure, table and chart of a page, in its order."""
    assert not page.exception
    texts = [
        str(element.value).replace("--env=aws", "--env=test")
        for kind in ("title", "subheader", "markdown", "text", "metric", "info", "error", "code")
        for element in page.main.get(kind)
    ]
    tables = [table.value.to_csv() for table in page.dataframe]
    charts = [element.proto.spec for element in page.main.get("vega_lite_chart")]
    rows = [
        data.data.data
        for element in page.main.get("vega_lite_chart")
        for data in element.proto.datasets
    ]
    return [*texts, *tables, *charts, *rows]


def views(env: str, app: str) -> Iterator[tuple[str, list[Any]]]:
    """All that the dashboard shows of one environment, view by view."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["app.py", f"--env={env}"])
        st.cache_resource.clear()
        st.cache_data.clear()
        page = AppTest.from_file(app, default_timeout=PATIENCE).run()
        yield "overview", shown(page)
        page.radio(key="model").set_value("credit_payment").run()
        for view in VIEWS:
            yield view, shown(page.segmented_control(key="view").set_value(view).run())


def test_local_folders_and_s3_show_the_same_to_the_last_digit(
    places: dict[str, dict[str, str]], project_root: Path
):
    seen = {}
    for env, given in places.items():
        with reached_by(given):
            seen[env] = dict(views(env, str(project_root / APP)))
    local, remote = seen.values()
    assert [view for view in local if local[view] != remote[view]] == []
    # the figures of the charts, and of the tables
    assert any(isinstance(item, bytes) for item in local["evolution"])
    assert any(str(item).startswith(",severity,feature") for item in local["alerts"])


@pytest.fixture(scope="module")
def served(
    places: dict[str, dict[str, str]],
    project_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Address of a dashboard that answers."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    port, log = free_port(PORTS), tmp_path_factory.mktemp("server") / "log"
    words = ["-m", "streamlit", "run", APP, f"--server.port={port}", "--", "--env=test"]
    address = f"http://127.0.0.1:{port}"
    env = variables(project_root) | places["test"]
    with serving(words, project_root, env, f"{address}/_stcore/health", log):
        yield address


class Visit:
    """One page in the browser, what went wrong on it, and whom it asked."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.strangers: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._keep_error)
        page.on("request", self._keep_stranger)
        page.goto(address)
        self.settled()

    def settled(self) -> None:
        """Waits until the page is drawn and nothing runs any more."""
        selector = "[data-testid=stApp][data-test-script-state=notRunning]"
        self.page.wait_for_selector(selector, timeout=PATIENCE * 1000)
        self.page.wait_for_selector(f"{CHART}, [data-testid=stDataFrame] canvas")

    def choose(self, view: str, words: str) -> None:
        self.page.get_by_role("radio", name=view).or_(
            self.page.get_by_role("button", name=view)
        ).first.click()
        self.page.get_by_text(words).first.wait_for()
        self.settled()

    def colours(self) -> set[str]:
        """Of all charts that are drawn at this moment."""
        found: set[str] = set()
        for chart in self.page.locator("[data-testid=stVegaLiteChart]").all():
            pixels = Image.open(io.BytesIO(chart.screenshot())).convert("RGB")
            found |= {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in pixels.getcolors(1 << 24) or ()}
        return found

    def draws(self, expected: tuple[str, ...]) -> bool:
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            # a chart that is being replaced can't be looked at
            with suppress(playwright.Error):
                if set(expected) <= self.colours():
                    return True
            self.page.wait_for_timeout(200)
        return False

    def _keep_error(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _keep_stranger(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.strangers.append(request.url)


@pytest.fixture(scope="module")
def visit(served: str) -> Iterator[Visit]:
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield Visit(browser.new_page(viewport={"width": 1500, "height": 1600}), served)
        browser.close()


@pytest.mark.browser
def test_the_overview_is_drawn_with_its_chart(visit: Visit, tmp_path: Path):
    visit.page.wait_for_selector("h1:has-text('Monitoreo de modelos')")
    said = visit.page.locator("[data-testid=stMain]").inner_text()
    assert "▲ en alarma" in said
    assert "sin monitoreo" in said
    assert visit.draws((RED, SEVERITY_COLOURS["VERDE"]))
    assert visit.page.screenshot(path=tmp_path / "overview.png")


@pytest.mark.browser
def test_the_views_of_a_model_draw_their_charts_without_an_error_or_a_stranger(
    visit: Visit, tmp_path: Path
):
    visit.page.locator("[data-testid=stSidebar]").get_by_text("credit_payment").click()
    visit.page.wait_for_selector("h1:has-text('credit_payment')")
    for view, (words, colours) in DRAWN.items():
        visit.choose(view, words)
        assert visit.draws(colours), view
        visit.page.screenshot(path=tmp_path / f"{view}.png", full_page=True)
    assert visit.errors == []
    assert visit.strangers == []


@pytest.mark.browser
def test_the_server_is_found_on_this_machine_alone(served: str):
    port = served.rpartition(":")[2]
    elsewhere = {
        found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    }
    for address in elsewhere - {"127.0.0.1", "127.0.1.1"}:
        with socket.socket() as probe:
            assert probe.connect_ex((address, int(port))) != 0
