import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog
from tests.docs.markdown import blocks
from tests.kedro_session import session_of
from tests.pipelines.own_table import orders

PAGE = "docs/adding-a-use-case.md"
NAME = "returns"
EVERYTHING = ()  # no stage is named: `kedro run --tags=returns`
PREPARING = ("ingestion", "feature_engineering")
LEARNING = (*PREPARING, "training", "scoring")
NEW_CASES = ("ingestion", "feature_engineering", "scoring")
# few folds and samples: these tests are about what is written, not about how good it is
SMALL = {"folds": 2, "repeats": 1, "inner_folds": 2, "bootstrap": 100, "workers": 1}


def on_the_page(place: str) -> str:
    """What the page tells a person to write in a file below `conf`."""
    first = f"# conf/{place}\n"
    (text,) = [
        text for _, _, text in blocks("yaml", PAGE) if text.startswith(first) and NAME in text
    ]
    return text


@pytest.fixture(scope="session")
def own_conf(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's configuration with the two files that the page tells a person to write."""
    conf = tmp_path_factory.mktemp("own") / "conf"
    shutil.copytree(project_root / "conf", conf, ignore=shutil.ignore_patterns("local"))
    (conf / "local").mkdir()
    for place in ("base/use_cases.yml", f"base/parameters/{NAME}.yml"):
        with (conf / place).open("a", encoding="utf-8") as file:
            file.write("\n" + on_the_page(place))
    small = yaml.safe_dump({NAME: {"training": SMALL}})
    (conf / "test/parameters.yml").write_text(small, "utf-8")
    return conf


@pytest.fixture(scope="session")
def run_in(project_root: Path, own_conf: Path) -> Callable[..., DataCatalog]:
    """Runs stages of the new use case with data in a folder, and gives the catalog.

    `changes` are settings of the use case, as `--params` gives them; `conf` another folder.
    """

    def run_stages(
        root: Path,
        stages: Sequence[str],
        changes: Mapping[str, Any] | None = None,
        conf: Path = own_conf,
        **selection: Any,
    ) -> DataCatalog:
        options = {"conf_source": str(conf), "runtime_params": {NAME: dict(changes or {})}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CLIENTELA_TEST_ROOT", str(root))
            with session_of(project_root, env="test", **options) as session:
                session.run(pipeline_names=list(stages) or None, tags=[NAME], **selection)
                return session.load_context().catalog

    return run_stages


@pytest.fixture(scope="session")
def first_run(run_in: Callable[..., DataCatalog], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every layer after the first run on a dirty file; to be copied, not written to."""
    root = tmp_path_factory.mktemp("first") / "data"
    write_file(root, "\n".join(orders.dirty_lines(orders.orders())) + "\n")
    run_in(root, EVERYTHING)
    return root


@pytest.fixture
def learned(first_run: Path, data_root: Path) -> Path:
    """The layers of the environment `test` after the first run."""
    return Path(shutil.copytree(first_run, data_root))


@pytest.fixture
def run(run_in: Callable[..., DataCatalog], data_root: Path) -> Callable[..., DataCatalog]:
    """Writes a file of orders and runs the stages up to the model input, or others."""

    def run_on(
        frame: pd.DataFrame, stages: Sequence[str] = PREPARING, **options: Any
    ) -> DataCatalog:
        write_file(data_root, orders.csv(frame))
        return run_in(data_root, stages, **options)

    return run_on


def write_file(root: Path, text: str) -> None:
    path = root / orders.PLACE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
