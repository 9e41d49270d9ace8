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

import pytest
import yaml
from tests.kedro_session import session_of

CLONED = ("conf", "src", "notebooks", "pyproject.toml", ".telemetry")
LAYERS = (
    "01_raw 02_intermediate 03_primary 04_feature 05_model_input 06_models 07_model_output "
    "08_reporting"
)
NOT_EXPLORING = (
    "ingestion", "labelling", "feature_engineering", "ordinal_target", "segmentation", "training",
    "scoring", "monitoring",
)  # fmt: skip
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
    "credit_payment": {"data_generation": {"rows": 800}, "training": TRAINING},
    "customer_churn": {"data_generation": {"rows": 800}, "training": TRAINING},
    "credit_preauth": {
        "data_generation": {"rows": 500},
        "labelling": {
            "audit": {
                "curve_repeats": 1,
                "curve_sizes": [40],
                "bootstrap": 100,
                "least_judged": 20,
            }
        },
        "training": TRAINING,
    },
    "retail": {"data_generation": {"customers": 300, "transactions": 9000, "chunk_rows": 9000}},
}
QUICK = {
    "majority", "last_quarter", "threshold_rule", "logistic_regression", "proportional_odds",
    "random_forest", "xgboost_classifier", "xgboost_regressor",
}  # fmt: skip
EXPLORED = ("retail", "credit_payment")
"""Exploring takes as long as all else; a notebook reads the second one."""
KEDRO = (sys.executable, "-m", "kedro")
# Streamlit sets the backend of every process that imports it, and notebooks then draw nothing
NOT_INHERITED = ("BUCKET", "MPLBACKEND")


def clone(project_root: Path, folder: Path) -> Path:
    """Copies the project without its data into an empty folder, and makes its runs short."""
    ignored = shutil.ignore_patterns("local", ".ipynb_checkpoints")
    for name in CLONED:
        source = project_root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)  # compiled modules stay valid
        else:
            shutil.copy(source, folder / name)
    for layer in LAYERS.split():
        (folder / "data" / layer).mkdir(parents=True)
    (folder / "conf/local").mkdir()
    for env in ENVIRONMENTS:
        (folder / "conf" / env / "parameters.yml").write_text(yaml.safe_dump(SMALL), "utf-8")
    for path in (folder / "conf/base/parameters").glob("*.yml"):
        _keep_quick_candidates(path)
    return folder


def _keep_quick_candidates(path: Path) -> None:
    """Leaves rules, required models and the fastest challengers."""
    content = yaml.safe_load(path.read_text("utf-8"))
    for settings in content.values():
        candidates = settings.get("training", {}).get("candidates", {})
        for name, candidate in [*candidates.items()]:
            slow = candidate["kind"] not in QUICK or "max_depth" in candidate.get("search", {})
            if name.endswith(("_completo", "_completa")) or (
                slow and candidate["role"] == "challenger"
            ):
                del candidates[name]
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def run_default(project_root: Path, project: Path) -> None:
    """Simulates data in a clone and runs the default pipeline on them, exploring two entries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIENTELA_TEST_ROOT", str(project / "data"))
        patch.delenv("CLIENTELA_DATABASE", raising=False)
        for pipelines, selection in (
            (["data_generation"], {}),
            (NOT_EXPLORING, {}),
            (["eda"], {"namespaces": EXPLORED}),
        ):
            with session_of(project_root, env="test", conf_source=str(project / "conf")) as session:
                session.run(pipeline_names=pipelines, **selection)


def variables(project: Path, aws: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables of a command in `project`: no AWS account but `aws`, no home, nothing phoned."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "KEDRO_", "CLIENTELA_")) and name not in NOT_INHERITED
    }
    return {
        **kept,
        "HOME": str(project.parent),
        "PYTHONPATH": str(project / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
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
    project: Path, *arguments: str, aws: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Runs a Kedro command in a clone, as a person would."""
    return subprocess.run(
        [*KEDRO, *arguments],
        cwd=project,
        env=variables(project, aws),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
