import multiprocessing
import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from mlflow.tracking import MlflowClient

from clientela.exceptions import RegistryError
from clientela.registry import model_registry as module
from clientela.registry.model_registry import MlflowRegistry


def client_of(registry):
    return MlflowClient(tracking_uri=registry.uri, registry_uri=registry.uri)


def test_a_registered_model_is_pending_and_says_what_it_is(mlflow_registry, submission):
    entry = mlflow_registry.register(submission())
    assert entry.record() == {
        "group": "credit-payment-champion",
        "number": 1,
        "status": "pending",
        "use_case": "credit_payment",
        "role": "champion",
        "version": "0123456789ab",
        "package": "/models/champion-0123456789ab.tar.gz",
        "package_sha256": "a" * 64,
        "address": "models:/credit-payment-champion/1",
    }
    stored = client_of(mlflow_registry).get_model_version("credit-payment-champion", "1")
    assert stored.description == "credit_payment, champion; roc_auc 0.700."
    assert stored.source == entry.package
    told = {"grade.roc_auc": "0.7", "problem_type": "binary_classification"}
    assert told.items() <= stored.tags.items()
    assert "prebuilt" not in stored.tags


def test_the_same_version_makes_one_entry_and_keeps_what_a_person_decided(
    mlflow_registry, submission
):
    first = mlflow_registry.register(submission())
    approved = mlflow_registry.set_status(first, "approved", "good")
    assert mlflow_registry.register(submission()) == approved
    assert mlflow_registry.models("credit-payment-champion") == [approved]


def test_files_that_were_moved_are_found_where_they_lie_now(mlflow_registry, submission):
    before = mlflow_registry.register(submission())
    moved = submission(package="/elsewhere/x.tar.gz", metrics="/elsewhere/x.json")
    assert mlflow_registry.register(moved) == replace(before, package="/elsewhere/x.tar.gz")
    assert mlflow_registry.models(before.group)[0].package == "/elsewhere/x.tar.gz"


def test_entries_come_the_newest_first_and_groups_do_not_mix(mlflow_registry, submission):
    versions = [f"{place:012x}" for place in range(12)]
    for version in versions:
        mlflow_registry.register(submission(version=version))
    mlflow_registry.register(submission(group="other-group"))
    found = mlflow_registry.models("credit-payment-champion")
    assert [entry.version for entry in found] == versions[::-1]
    assert [entry.number for entry in found] == list(range(12, 0, -1))


def test_the_alias_follows_what_was_approved_last_and_leaves_what_is_rejected(
    mlflow_registry, submission
):
    one = mlflow_registry.register(submission())
    two = mlflow_registry.register(submission(version="f" * 12))

    def aliases():
        return client_of(mlflow_registry).get_registered_model(one.group).aliases

    assert mlflow_registry.set_status(one, "approved", "better than the rule").status == "approved"
    assert {name: int(number) for name, number in aliases().items()} == {"approved": 1}
    mlflow_registry.set_status(two, "approved", "newer")
    assert {name: int(number) for name, number in aliases().items()} == {"approved": 2}
    assert mlflow_registry.set_status(one, "rejected", "old").status == "rejected"
    assert {name: int(number) for name, number in aliases().items()} == {"approved": 2}
    mlflow_registry.set_status(two, "rejected", "unfair")
    assert aliases() == {}
    tags = client_of(mlflow_registry).get_model_version(one.group, "2").tags
    assert (tags["status"], tags["reason"]) == ("rejected", "unfair")


def test_before_anything_is_registered_there_is_nothing_and_no_file_is_made(tmp_path):
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/registry/mlflow.db")
    assert registry.models("credit-payment-champion") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_processes_that_register_at_the_same_moment_make_one_database_and_one_entry(
    tmp_path, submission
):
    """The database itself is not there yet: making it is where two would collide most."""
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/registry/mlflow.db")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=registry.register, args=(submission(),)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert [entry.number for entry in registry.models("credit-payment-champion")] == [1]


def test_threads_that_register_at_the_same_moment_make_one_entry(mlflow_registry, submission):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(mlflow_registry.register(submission())))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [entry.number for entry in found] == [1, 1, 1, 1]


def test_a_registry_that_another_process_holds_for_too_long_is_named(
    mlflow_registry, submission, monkeypatch
):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0)
    with module._lock_database(mlflow_registry._file):  # noqa: SIM117 - the outer one is the other process
        with pytest.raises(RegistryError, match=r"held the registry .*mlflow\.db for 0 sec"):
            mlflow_registry.register(submission())


def test_a_file_that_is_no_database_is_refused_with_its_address(tmp_path, submission):
    path = tmp_path / "mlflow.db"
    path.write_text("not a database", "utf-8")
    with pytest.raises(RegistryError, match=r"registry at sqlite:.*mlflow\.db refuses: "):
        MlflowRegistry(f"sqlite:///{path}").register(submission())


def test_an_entry_that_somebody_else_made_is_named(mlflow_registry, submission):
    client = client_of(mlflow_registry)
    client.create_registered_model("credit-payment-champion")
    client.create_model_version("credit-payment-champion", "/x")
    with pytest.raises(RegistryError, match=r"Version 1 of the group credit-payment-champion was"):
        mlflow_registry.models("credit-payment-champion")


def test_a_password_in_the_address_stays_out_of_messages(monkeypatch):
    def refuse(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(module, "_import_mlflow", lambda: (refuse, (OSError,)))
    with pytest.raises(RegistryError, match="registry at postgresql://host/db refuses") as found:
        MlflowRegistry("postgresql://ana:clave@host/db").models("group")
    assert "clave" not in str(found.value)


def test_without_mlflow_the_command_that_installs_it_is_named(monkeypatch, submission):
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    with pytest.raises(RegistryError, match=r'pip install "clientela\[mlflow\]"'):
        MlflowRegistry("sqlite:///x/y.db").register(submission())


@pytest.mark.slow
def test_mlflow_reports_to_nobody():
    """Asked in a process of its own, whose environment says nothing of it."""
    asking = (
        "from clientela.registry.model_registry import _import_mlflow; _import_mlflow()\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "print(is_telemetry_disabled())"
    )
    names = ("PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "DO_NOT_TRACK")
    clean = {k: v for k, v in os.environ.items() if k not in names and "MLFLOW" not in k}
    done = subprocess.run(
        [sys.executable, "-c", asking], env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
