import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import s3fs

from clientela.datasets import engine
from clientela.simulation.churn.parameters import ChurnSimulation
from clientela.simulation.churn.tables import simulated_visitors
from clientela.simulation.credit.parameters import CreditSimulation
from clientela.simulation.credit.tables import simulated_loans
from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.tables import SimulatedCustomers, SimulatedTransactions

TRANSACTIONS = "transacciones/muestra_transacciones.csv"
CUSTOMERS = "customers/muestra_customers.csv"
LOANS = "credit_payment/Base_de_datos.csv"
VISITORS = "customer_churn/wifi.csv"
SAMPLE = TransactionSimulation(customers=400, transactions=12_000, seed=7)
# a search as small as the settings allow: these tests are about places, not about models
SMALL_SEARCH = "--params=" + ",".join(
    f"{use_case}.training.{name}={value}"
    for use_case in ("purchase_intensity", "credit_payment", "customer_churn")
    for name, value in {
        "tuning.trials": 1,
        "tuning.folds": 2,
        "folds": 2,
        "repeats": 1,
        "inner_folds": 2,
        "bootstrap": 100,
        "workers": 1,
    }.items()
)
PROJECT = ("conf", "src", "notebooks", "pyproject.toml", ".telemetry")
LAYERS = (
    "01_raw 02_intermediate 03_primary 04_feature 05_model_input 06_models 07_model_output "
    "08_reporting"
)
KEDRO = (sys.executable, "-m", "kedro")
# Streamlit sets the backend of every process that imports it, and notebooks then draw nothing
NOT_INHERITED = ("BUCKET", "MPLBACKEND", "PYTHONDONTWRITEBYTECODE")


@pytest.fixture(scope="session")
def raw_files() -> dict[str, bytes]:
    """A small retailer (dirt included), lender and WiFi, by their places below the raw root."""
    return {
        place: ",".join(rows.columns).encode() + b"\n" + b"".join(map(bytes, rows.csv_blocks()))
        for place, rows in (
            (TRANSACTIONS, SimulatedTransactions(SAMPLE)),
            (CUSTOMERS, SimulatedCustomers(SAMPLE)),
            (LOANS, simulated_loans(CreditSimulation(rows=1500))),
            (VISITORS, simulated_visitors(ChurnSimulation(rows=1500))),
        )
    }


@pytest.fixture(scope="session")
def project_copy(
    project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Path]:
    """Makes a clone without data, where every file that appears is seen."""

    def make() -> Path:
        copy = tmp_path_factory.mktemp("clone")
        ignored = shutil.ignore_patterns("__pycache__", "local", ".ipynb_checkpoints")
        for name in PROJECT:
            source = project_root / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy(source, copy / name)
        (copy / "conf/local").mkdir()
        for layer in LAYERS.split():
            (copy / "data" / layer).mkdir(parents=True)
        return copy

    return make


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """Variables of a command in a clone: `variables(project)`."""
    own = tmp_path_factory.getbasetemp()
    # below the folder of one worker of several lies what all of them share
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return partial(environment, shared / "bytecode")


def environment(
    bytecode: Path, project: Path, aws: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Variables of a command in `project`: no AWS account but `aws`, no home, nothing phoned.

    Modules are compiled once for all commands, into `bytecode`: no file of theirs appears in a
    clone.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "KEDRO_", "CLIENTELA_")) and name not in NOT_INHERITED
    }
    return {
        **kept,
        "HOME": str(project.parent),
        "PYTHONPATH": str(project / "src"),
        "PYTHONPYCACHEPREFIX": str(bytecode),
        "DO_NOT_TRACK": "1",
        "KEDRO_DISABLE_TELEMETRY": "1",
        "COLUMNS": "200",
        "AWS_EC2_METADATA_DISABLED": "true",
        # kedro-viz asks the package index for news; nobody listens here
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        **(aws or {}),
    }


@pytest.fixture(scope="session")
def kedro(variables: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    """Runs a Kedro command as a person would: `kedro(project, "run", "--env=aws", aws={...})`."""

    def run(
        project: Path, *arguments: str, aws: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*KEDRO, *arguments],
            cwd=project,
            env=variables(project, aws),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def small_search() -> str:
    """The option of `kedro run` that keeps training short."""
    return SMALL_SEARCH


@pytest.fixture(scope="session")
def finished_project(
    project_copy: Callable[[], Path],
    raw_files: Mapping[str, bytes],
    kedro: Callable[..., Any],
    small_search: str,
) -> Path:
    """A clone in which the default pipeline has run on local folders."""
    project = project_copy()
    for place, content in raw_files.items():
        path = project / "data/01_raw" / place
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    run = kedro(project, "run", small_search)
    assert run.returncode == 0, run.stderr
    return project


@pytest.fixture
def store(
    object_store: Mapping[str, str],
    bucket: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """An address below which nothing lies yet, reachable from this process."""
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    engine.connection.cache_clear()
    yield f"s3://{bucket}/{request.node.name}"
    engine.connection.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()
