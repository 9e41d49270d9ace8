"""The lineage as a person sees it: kedro-viz in a browser."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
from tests.e2e.browsing import CHROMIUM, PATIENCE, QUIET, free_port, serving
from tests.small_project import variables

# kedro-viz refuses ports above 49151, where the system's free ones begin
PORTS = range(21_000, 32_000)  # below those that the system gives to clients
LAYERS = ["raw", "primary", "feature", "model_input", "models", "model_output", "reporting"]
PLOT = "purchase_intensity.training_plot_confusion"
METRICS = "purchase_intensity.required_metrics"
EVALUATION = "customer_segments.k_evaluation"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]


class Lineage(NamedTuple):
    """What kedro-viz serves, and where."""

    address: str
    graph: dict[str, Any]

    def node_id(self, name: str) -> str:
        return next(node["id"] for node in self.graph["nodes"] if node["name"] == name)


@pytest.fixture(scope="module")
def lineage(finished_project: Path) -> Iterator[Lineage]:
    port, log = free_port(PORTS), finished_project.parent / "viz.log"
    words = ["-m", "kedro", "viz", "run", "--no-browser", "--host=127.0.0.1", f"--port={port}"]
    address = f"http://127.0.0.1:{port}"
    env = variables(finished_project)
    with serving(words, finished_project, env, f"{address}/api/main", log):
        with urlopen(f"{address}/api/main") as reply:  # noqa: S310 - loopback
            graph = dict(json.load(reply))
        yield Lineage(address, graph)


LARGE = ".pipeline-warning"


class Visit:
    """One page in the browser, and what went wrong on it."""

    def __init__(self, page: Any, lineage: Lineage) -> None:
        self.page, self.lineage = page, lineage
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._keep_error)
        # a font from elsewhere; without it the page takes the system's
        page.route(lambda url: not url.startswith(("blob:", lineage.address)), leave_out)
        page.add_init_script("localStorage.KedroViz = '{\"showFeatureHints\": false}'")

    def open(self, **query: str) -> None:
        written = "&".join(f"{key}={value}" for key, value in query.items())
        self.page.goto(f"{self.lineage.address}/?{written}", wait_until="domcontentloaded")
        self.page.wait_for_selector(f".pipeline-node, {LARGE}", timeout=PATIENCE * 1000)
        if self.page.locator(LARGE).count():  # it asks before it draws more than a thousand things
            self.page.locator(LARGE).get_by_role("button").last.click()
            self.page.wait_for_selector(".pipeline-node", timeout=PATIENCE * 1000)

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_text_contents()]

    def _keep_error(self, message: Any) -> None:
        if message.type == "error" and self.lineage.address in message.location["url"]:
            self.errors.append(message.text)


def leave_out(route: Any) -> None:
    route.abort()


@pytest.fixture(scope="module")
def visit(lineage: Lineage) -> Iterator[Visit]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield Visit(browser.new_page(viewport={"width": 1800, "height": 1200}), lineage)
        browser.close()


def test_the_page_draws_use_cases_shared_tables_and_layers(
    visit: Visit, lineage: Lineage, tmp_path: Path
):
    assert lineage.graph["layers"] == LAYERS
    offered = {pipeline["id"] for pipeline in lineage.graph["pipelines"]}
    assert {"ingestion", "feature_engineering", "segmentation", "training", "scoring"} <= offered
    visit.open(pid="__default__")
    drawn = visit.texts(".pipeline-node__text")
    use_cases = {"purchase_intensity", "customer_segments"}
    assert {"retail", "transactions", "customers", *use_cases} <= set(drawn)
    assert visit.page.screenshot(path=tmp_path / "lineage.png")
    assert visit.errors == []


def test_a_plot_and_metrics_show_their_previews(visit: Visit, lineage: Lineage):
    visit.open(pid="training", expandAllPipelines="true", sid=lineage.node_id(PLOT))
    layers = set(visit.texts(".pipeline-layer-name"))
    assert {"models", "model_output", "reporting"} <= layers <= set(LAYERS)
    image = visit.page.wait_for_selector(".pipeline-metadata__plot-image")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    visit.open(pid="training", expandAllPipelines="true", sid=lineage.node_id(METRICS))
    shown = visit.page.wait_for_selector(".pipeline-metadata__preview-json").inner_text()
    assert "test_rows" in shown
    assert "qwk" in shown
    assert visit.errors == []


def test_no_preview_shows_a_customer(lineage: Lineage, raw_files: Mapping[str, bytes]):
    lines = raw_files["customers/muestra_customers.csv"].decode().splitlines()[1:]
    customers = {line.partition(",")[0] for line in lines}
    shown = {node["name"]: preview_of(lineage, node["id"]) for node in lineage.graph["nodes"]}
    assert "test_rows" in shown[METRICS]
    assert "silhouette" in shown[EVALUATION]
    assert [name for name, text in shown.items() if customers & numbers_in(text)] == []


def preview_of(lineage: Lineage, node_id: str) -> str:
    with urlopen(f"{lineage.address}/api/nodes/{node_id}") as reply:  # noqa: S310 - loopback
        return json.dumps(json.load(reply).get("preview"))


def numbers_in(text: str) -> set[str]:
    """Whole numbers, as ids are written; digits of a fraction are none."""
    return set(re.findall(r"(?<![\d.])\d+(?![\d.])", text))
