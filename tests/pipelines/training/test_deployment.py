import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.pipelines.training.test_pipeline import QUICK, SCHEMA, customers, write_inputs
from xgboost import Booster, DMatrix

from clientela.registry.model_registry import MlflowRegistry
from clientela.registry.package import extract_archive, open_package

__all__ = ["write_inputs"]  # a fixture

PACKAGES = "06_models/purchase_intensity/packages"


@pytest.mark.slow
def test_ordinal_models_are_registered_and_the_required_one_in_its_own_group_and_native_form(
    write_inputs, run_kedro, data_root, empty_registry
):
    write_inputs(customers())
    registry = data_root / "06_models/registry/mlflow.db"
    registry.parent.mkdir(parents=True)
    shutil.copy(empty_registry, registry)
    run_kedro("training", "deployment", conf=QUICK, tags=["purchase_intensity"])

    required = json.loads((data_root / PACKAGES / "required.json").read_text("utf-8"))
    (entry,) = MlflowRegistry(f"sqlite:///{registry}").models("xgboost-ordinal-tecnologia")
    assert entry.version == required["manifest"]["version"]
    (champion,) = MlflowRegistry(f"sqlite:///{registry}").models("purchase-intensity-champion")
    assert champion.role == "champion"

    files = extract_archive(Path(required["prebuilt"]).read_bytes())
    assert [name for name in files if "/" not in name] == ["xgboost-model"]
    trained = data_root / "06_models/xgboost_ordinal_tecnologia/model.tar.gz"
    assert extract_archive(trained.read_bytes()) == files

    served = open_package(
        Path(required["package"]).read_bytes(), "here", required["package_sha256"]
    )
    manifest = served.manifest
    assert [field.name for field in manifest.read] == ["gasto_3m", "edad"]
    assert [field.name for field in manifest.fields if field.required] == ["gasto_3m", "edad"]
    assert [field.name for field in manifest.fields] == SCHEMA["required"] + SCHEMA["extra"]
    assert manifest.score_name == "valor_esperado"
    assert manifest.target == {"sin_compra": 0.0, "baja": 1.0, "media": 2.0, "alta": 4.0}
    booster = Booster()
    booster.load_model(bytearray(files["xgboost-model"]))
    case = pd.DataFrame([manifest.example.case])[served.model.features]
    (score,) = booster.predict(DMatrix(case.to_numpy()), validate_features=False)
    assert score == pytest.approx(manifest.example.expected, abs=1e-5)
    metrics = json.loads(Path(required["metrics"]).read_text("utf-8"))
    assert "regression_metrics" in metrics
    assert "accuracy_best_constant_classifier" in metrics["multiclass_classification_metrics"]
