"""Clones of the project whose runs are short: little data, a search as small as settings allow.

What is tested with them are places, commands and pictures, not how good a model is.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CLONED = ("conf", "src", "notebooks", "pyproject.toml", ".telemetry")
LAYERS = (
    "01_raw 02_intermediate 03_primary 04_feature 05_model_input 06_models 07_model_output "
    "08_reporting"
)
ENVIRONMENTS = ("local", "aws", "test")
TRAINING = {
    "tuning": {"trials": 1, "folds": 2},
    "folds": 2,
    "repeats": 1,
    "inner_folds": 2,
    "bootstrap": 100,
    "workers": 1,
}
SMALL: dict[str, dict[str, Any]] = {
    "purchase_intensity": {"training": TRAINING},
    "customer_segments": {
        "segmentation": {
            "clustering": {"candidates": [2, 5], "null_draws": 1, "bootstrap_draws": 2}
        }
    },
    "credit_payment": {"data_generation": {"rows": 1500}, "training": TRAINING},
    "customer_churn": {"data_generation": {"rows": 1500}, "training": TRAINING},
    "credit_preauth": {
        "data_generation": {"rows": 600},
        "labelling": {"audit": {"curve_repeats": 1, "curve_sizes": [40], "bootstrap": 100}},
        "training": TRAINING,
    },
    "retail": {"data_generation": {"customers": 300, "transactions": 9000, "chunk_rows": 9000}},
}
QUICK = ("majority", "last_quarter", "proportional_odds", "xgboost_regressor")
KEDRO = (sys.executable, "-m", "kedro")
# Streamlit sets the backend of every process that imports it, and notebooks then draw nothing
NOT_INHERITED = ("BUCKET", "MPLBACKEND", "PYTHONDONTWRITEBYTECODE")


def clone(project_root: Path, folder: Path) -> Path:
    """Copies the project without its data into an empty folder, and makes its runs short."""
    ignored = shutil.ignore_patterns("__pycache__", "local", ".ipynb_checkpoints")
    for name in CLONED:
        source = project_root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    for layer in LAYERS.split():
        (folder / "data" / layer).mkdir(parents=True)
    (folder / "conf/local").mkdir()
    for env in ENVIRONMENTS:
        (folder / "conf" / env / "parameters.yml").write_text(yaml.safe_dump(SMALL), "utf-8")
    _keep_quick_candidates(folder / "conf/base/parameters/purchase_intensity.yml")
    return folder


def _keep_quick_candidates(path: Path) -> None:
    """Leaves the rules, the required model and the fastest challenger."""
    content = yaml.safe_load(path.read_text("utf-8"))
    candidates = content["purchase_intensity"]["training"]["candidates"]
    for name in [
        name
        for name in candidates
        if candidates[name]["kind"] not in QUICK
        or candidates[name].get("search", {}).get("max_depth")
    ]:
        del candidates[name]
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def variables(
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


def kedro(
    bytecode: Path, project: Path, *arguments: str, aws: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Runs a Kedro command in a clone, as a person would."""
    return subprocess.run(
        [*KEDRO, *arguments],
        cwd=project,
        env=variables(bytecode, project, aws),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
