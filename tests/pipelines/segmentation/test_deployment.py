import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.kedro_session import session_of
from tests.pipelines.segmentation.conftest import TAG, parameters

from clientela.exceptions import ConfigurationError
from clientela.features.segment_columns import SegmentationParams
from clientela.models.segment_model import assign_to_stored_segments
from clientela.registry.model_registry import MlflowRegistry
from clientela.registry.package import open_package

PACKAGES = "06_models/customer_segments/packages"


@pytest.fixture
def deploy(project_root, first_model, empty_registry, data_root):
    """Registers the first model with data in a folder of its own, and gives the folder."""

    def run(changes=None):
        shutil.copytree(first_model, data_root)
        (data_root / "06_models/registry").mkdir()
        shutil.copy(empty_registry, data_root / "06_models/registry/mlflow.db")
        options = {"runtime_params": parameters(changes or {})}
        with session_of(project_root, env="test", **options) as session:
            session.run(pipeline_names=["deployment"], tags=[TAG])
        return data_root

    return run


def test_segments_are_one_package_whose_example_is_placed_as_it_says(deploy):
    root = deploy()
    stored = json.loads((root / PACKAGES / "champion.json").read_text("utf-8"))
    served = open_package(Path(stored["package"]).read_bytes(), "here", stored["package_sha256"])
    manifest = served.manifest
    identity = json.loads((root / "06_models/customer_segments/identity.json").read_text("utf-8"))
    assert (manifest.task, manifest.group, manifest.role) == (
        "segments",
        "customer-segments",
        "champion",
    )
    names = [identity["names"][number] for number in sorted(identity["names"])]
    assert manifest.classes == (*names, "Sin actividad")
    assert [manifest.target[name] for name in manifest.classes][-1] == -1.0
    assert [field.name for field in manifest.fields] == [*identity["columns"], "num_tx"]
    assert all(field.required for field in manifest.fields)
    assert manifest.primary_metric is None
    assert manifest.grades["silhouette"].rule is not None
    params = SegmentationParams.model_validate(manifest.segment_rules)
    customer = pd.DataFrame([{"id_cliente": "x", **manifest.example.case}])
    (number,) = assign_to_stored_segments(served.model, customer, None, params)["cluster_id"]
    assert number == manifest.example.expected == manifest.target[manifest.example.label]
    (entry,) = MlflowRegistry(f"sqlite:///{root}/06_models/registry/mlflow.db").models(
        "customer-segments"
    )
    assert (entry.version, entry.status) == (manifest.version, "pending")
    assert not list((root / PACKAGES).glob("required*"))
    # the ranges are those of customers who were placed
    seen = {field.name: field for field in manifest.fields}["num_tx"]
    rows = pd.read_parquet(root / "05_model_input/customer_segments/clustering_input.parquet")
    active = rows[rows["num_tx"] >= 5]
    assert len(active) < len(rows)
    assert seen.seen_minimum == active["num_tx"].min()
    assert float(manifest.example.case["num_tx"]).is_integer()


def test_segments_without_their_only_role_are_refused(deploy):
    with pytest.raises(ConfigurationError, match=r"roles is \['required'\], but segments have th"):
        deploy({"deployment.roles": ["required"]})
