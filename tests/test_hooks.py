import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from clientela.datasets.raw_table import RawTableDataset
from clientela.exceptions import ConfigurationError
from clientela.hooks import LOCK, DriftAlerts, RunLock, RunSummary, StaleArtefacts, _lock_root
from clientela.storage import make_temporary_folder, remove_abandoned_folders


def summary_of(capsys, saved: dict[str, object]) -> str:
    catalog = DataCatalog(saved)
    summary = RunSummary()
    summary.before_pipeline_run()
    for name in saved:
        summary.after_dataset_saved(name)
    summary.after_pipeline_run(catalog)
    return capsys.readouterr().out


def listed(filepath: str) -> JSONDataset:
    return JSONDataset(filepath=filepath, metadata={"clientela": {"summary": "scores"}})


def test_a_long_path_stays_in_one_piece(capsys, tmp_path):
    path = f"{tmp_path}/{'folder/' * 30}scores.json"
    assert path in summary_of(capsys, {"scores": listed(path)})


def test_an_object_store_is_named_with_its_protocol(capsys):
    address = "s3://bucket/scores.json"
    assert address in summary_of(capsys, {"scores": listed(address)})


def test_only_what_the_catalog_marks_is_listed_and_headlines_follow(capsys):
    headline = MemoryDataset({"sentence": "El campeón supera a la regla."})
    shown = summary_of(capsys, {"aside": MemoryDataset(1), "use_case.headline": headline})
    assert "aside" not in shown
    assert "El campeón supera a la regla." in shown


def test_a_run_that_makes_nothing_to_show_ends_in_silence(capsys):
    assert summary_of(capsys, {"aside": MemoryDataset(1)}) == ""


def test_every_name_that_ends_in_headline_gives_a_sentence(capsys):
    sentence = MemoryDataset({"sentence": "No hay que hacer nada."})
    assert "No hay que hacer nada." in summary_of(capsys, {"use_case.drift_headline": sentence})


def test_alerts_of_a_run_are_remembered_until_the_next_one():
    alerts = DriftAlerts()
    alerts.after_dataset_saved("churn.drift_state", {"alert": None})
    for use_case, simulated in (("credit", False), ("wifi", True)):
        state = {"alert": {"sentence": "ALERTA"}, "current": {"simulated": simulated}}
        alerts.after_dataset_saved(f"{use_case}.drift_state", state)
    alerts.after_dataset_saved("credit.choice", {"champion": "arbol"})
    assert alerts.raised == ["credit"]
    alerts.before_pipeline_run()
    assert alerts.raised == []


HOLD = """
import sys, time
from pathlib import Path
from clientela.hooks import _lock_root
from clientela.storage import make_temporary_folder
_lock_root(Path(sys.argv[1]), {"pipeline_names": ["scoring"]})
print(make_temporary_folder("raw"), flush=True)
time.sleep(60)
"""


@pytest.fixture
def other_run(tmp_path, monkeypatch):
    """Another process that holds the root, and a temporary folder of raw rows; and that folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    with process:
        yield process, tmp_path / Path(process.stdout.readline().strip()).name
        process.kill()


def test_a_second_run_says_who_holds_the_root_and_waits_even_for_one_that_is_killed(
    other_run, tmp_path, caplog
):
    process, folder = other_run
    (folder / "rows.parquet").write_text("12345678,1")
    remove_abandoned_folders()
    assert folder.is_dir()
    held = []
    wait = threading.Thread(target=lambda: held.append(_lock_root(tmp_path / "data", {})))
    wait.start()
    wait.join(1)
    assert wait.is_alive()
    process.kill()
    wait.join(30)
    assert held
    os.close(held[0][0])
    assert f"process {process.pid} on " in caplog.text
    assert "scoring" in caplog.text
    remove_abandoned_folders()
    assert not folder.exists()
    assert str(os.getpid()) in (tmp_path / "data" / LOCK).read_text()


def test_runs_of_one_process_follow_one_another_whether_they_end_well_or_not(tmp_path):
    manager = _create_hook_manager()
    manager.register(RunLock())
    loader = {"globals": {"primary": "data/03_primary"}}
    inside, seen = [], []

    def run(fails):
        hook, fields = manager.hook, {"run_params": {}, "pipeline": Pipeline([])}
        hook.after_context_created(
            context=SimpleNamespace(config_loader=loader, project_path=tmp_path)
        )
        hook.before_pipeline_run(**fields, catalog=DataCatalog())
        inside.append(fails)
        seen.append(len(inside))
        time.sleep(0.05)
        inside.remove(fails)
        if fails:
            hook.on_pipeline_error(**fields, catalog=DataCatalog(), error=ValueError())
        else:
            hook.after_pipeline_run(**fields, catalog=DataCatalog(), run_result={})

    runs = [threading.Thread(target=run, args=(bool(place % 2),)) for place in range(4)]
    for each in runs:
        each.start()
    for each in runs:
        each.join(30)
    assert seen == [1, 1, 1, 1]
    with pytest.raises(ConfigurationError, match="SequentialRunner"):
        manager.hook.before_pipeline_run(
            run_params={"runner": "<ThreadRunner>"}, pipeline=Pipeline([]), catalog=DataCatalog()
        )
    run(fails=False)


def test_a_temporary_folder_of_this_process_is_not_abandoned(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = make_temporary_folder("raw")
    remove_abandoned_folders()
    assert folder.is_dir()


def double(rows, size):
    return size


def test_what_is_older_than_its_parameters_or_raw_file_is_told_before_it_is_read(tmp_path, caplog):
    raw, made = tmp_path / "raw.csv", tmp_path / "made.json"
    raw.write_text("id\n1\n")
    catalog = DataCatalog(
        {
            "raw": RawTableDataset(filepath=str(raw)),
            "made": JSONDataset(filepath=str(made)),
            "params:shop.size": MemoryDataset(1),
        }
    )
    nodes = [
        Node(double, ["raw", "params:shop.size"], "between", name="first"),
        Node(lambda between: between, "between", "made", name="second"),
    ]
    reader = Pipeline([Node(lambda made: made, "made", "end", name="reader")])

    def tell(size, **run_params):
        roots = {"intermediate": str(tmp_path / "notes")}
        loader = {"globals": roots, "parameters": {"shop": {"size": size}}}
        hook = StaleArtefacts()
        hook.after_context_created(SimpleNamespace(config_loader=loader, project_path=tmp_path))
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="clientela"):
            hook.before_pipeline_run(run_params, reader, catalog)
        return hook, caplog.text

    hook, said = tell(1)
    assert said == ""
    made.write_text("1")
    for node in nodes:
        hook.after_node_run(node, catalog)
    assert tell(1)[1] == ""
    assert "params:shop.size" in tell(2)[1]
    os.utime(raw, (made.stat().st_mtime + 60,) * 2)
    said = tell(1)[1]
    assert "raw" in said
    assert "made" in said
    assert "params:shop.size" not in said
