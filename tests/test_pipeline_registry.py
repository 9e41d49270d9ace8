import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro_viz.integrations.kedro.data_loader import load_data

from clientela.exceptions import ConfigurationError
from clientela.pipeline_registry import CREATE_PIPELINE, ON_REQUEST
from clientela.use_cases import STAGES

LOANS = {
    "prestamos": {
        "kind": "table",
        "task": "binary",
        "stages": ["ingestion"],
        "tables": {"solicitudes": {}},
    }
}
SHIPPED = yaml.safe_load((Path(__file__).parents[1] / "conf/base/use_cases.yml").read_text("utf-8"))
OFF = {name: {"enabled": False} for name, entry in SHIPPED.items() if "task" in entry}


def namespaces(stages):
    return {node.namespace.split(".")[0] for stage in stages.values() for node in stage.nodes}


@pytest.fixture
def seen_by_session(project_root, conf_source, data_root):
    """The registered pipelines as `kedro run --conf-source=` sees them."""

    def seen(use_cases):
        bootstrap_project(project_root)
        with KedroSession.create(
            project_path=project_root,
            env="test",
            conf_source=str(conf_source({"test/use_cases.yml": use_cases})),
            save_on_close=False,
        ) as session:
            session.load_context()
            return dict(pipelines)

    return seen


@pytest.fixture
def seen_by_viz(project_root, conf_source, data_root, monkeypatch):
    """The registered pipelines as kedro-viz sees them; it takes the conf source from settings."""

    def seen(use_cases):
        folder = conf_source({"test/use_cases.yml": use_cases})
        monkeypatch.setenv("DYNACONF_CONF_SOURCE", str(folder))
        return load_data(project_root, env="test")[1]

    yield seen
    monkeypatch.undo()
    bootstrap_project(project_root)


@pytest.fixture
def seen_by_registry_list(project_root, conf_source, data_root):
    """The names that `kedro registry list` prints."""

    def seen(use_cases):
        folder = conf_source({"test/use_cases.yml": use_cases})
        done = subprocess.run(
            [sys.executable, "-m", "kedro", "registry", "list"],
            cwd=project_root,
            env=os.environ | {"DYNACONF_CONF_SOURCE": str(folder), "KEDRO_ENV": "test"},
            capture_output=True,
            text=True,
            check=True,
        )
        return set(yaml.safe_load(done.stdout))

    return seen


def test_there_is_a_pipeline_per_stage_and_use_case_and_one_of_all(seen_by_session):
    registered = seen_by_session(LOANS)
    assert [*registered] == [*STAGES, *OFF, "prestamos", "__default__"]
    assert [*CREATE_PIPELINE] == [*STAGES]
    packages = (Path(__file__).parents[1] / "src/clientela/pipelines").glob("*/pipeline.py")
    assert {path.parent.name for path in packages} == {*STAGES}


def test_what_needs_no_asking_is_the_default(seen_by_session):
    registered = seen_by_session({})
    default = set(registered["__default__"].nodes)
    for name in STAGES:
        nodes = set(registered[name].nodes)
        assert not default & nodes if name in ON_REQUEST else nodes <= default


def test_a_use_case_is_what_its_tag_selects(seen_by_session):
    registered = seen_by_session(LOANS)
    assert all(node.tags for made in registered.values() for node in made.nodes)
    for name in (*OFF, "prestamos"):
        tagged = registered["__default__"].only_nodes_with_tags(name)
        assert registered[name].nodes == tagged.nodes
    assert namespaces({"": registered["prestamos"]}) == {"prestamos"}
    assert namespaces({"": registered["purchase_intensity"]}) == {"retail", "purchase_intensity"}


@pytest.mark.parametrize("view", ["seen_by_session", "seen_by_viz"])
def test_a_new_entry_in_another_conf_source_appears(view, request):
    seen = request.getfixturevalue(view)
    stages = seen(LOANS)
    assert namespaces(stages) == {*SHIPPED, "prestamos"}
    assert "prestamos.accepted_solicitudes" in stages["ingestion"].all_outputs()


@pytest.mark.parametrize("view", ["seen_by_session", "seen_by_viz"])
def test_a_use_case_switched_off_disappears_with_the_tables_it_alone_uses(view, request):
    assert namespaces(request.getfixturevalue(view)(OFF | LOANS)) == {"prestamos"}


def test_another_conf_source_in_one_process_replaces_the_pipelines(seen_by_session):
    first = seen_by_session({})
    second = seen_by_session(OFF | LOANS)
    third = seen_by_session({})
    assert set(second) == {"ingestion", "prestamos", "__default__"}
    assert set(first) == set(third) > {*STAGES}


@pytest.mark.slow
def test_registry_list_follows_the_switchboard(seen_by_registry_list):
    assert seen_by_registry_list(OFF | LOANS) == {"__default__", "ingestion", "prestamos"}
    assert {
        "training",
        "ingestion",
        "credit_payment",
        "customer_segments",
    } <= seen_by_registry_list({})


def test_a_run_follows_the_switchboard(run_kedro, data_root):
    raw = data_root / "01_raw/prestamos/solicitudes.csv"
    raw.parent.mkdir(parents=True)
    raw.write_text("id,monto\n1,10.50\n2,x\n", encoding="utf-8")
    rules = {
        "max_bad_share": 0.5,
        "tables": {
            "solicitudes": {
                "key": ["id"],
                "columns": {"id": {"type": "id"}, "monto": {"type": "decimal"}},
            }
        },
    }
    run_kedro(
        conf={
            "test/use_cases.yml": OFF | LOANS,
            "test/parameters.yml": {"prestamos": {"ingestion": rules}},
        }
    )
    written = data_root / "02_intermediate" / "prestamos" / "row_accounting.json"
    account = json.loads(written.read_text("utf-8"))["solicitudes"]
    assert (account["read"], account["accepted"], account["quarantined"]) == (2, 1, 1)
    assert [path.name for path in (data_root / "03_primary").rglob("*.parquet")] == [
        "solicitudes.parquet"
    ]


def test_a_stage_that_does_not_exist_is_named_with_the_nearest(seen_by_session):
    wrong = {"prestamos": LOANS["prestamos"] | {"stages": ["ingestoin"]}}
    with pytest.raises(ConfigurationError, match=r"'ingestoin'.*Did you mean 'ingestion'"):
        seen_by_session(wrong)
