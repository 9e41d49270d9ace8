import numpy as np
import pandas as pd
import pytest

from clientela.datasets.model_packages import EstimatorDataset
from clientela.exceptions import MissingStageInputError, TrainingDataError
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import ProportionalOddsClassifier
from clientela.models.stored_model import StoredModel, get_library_versions

CLASSES = ["sin_compra", "baja", "media", "alta"]


@pytest.fixture
def stored(data_root):
    """A champion on two features, stored where training stores it."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"gasto_3m": rng.gamma(1, 100, 80), "edad": rng.integers(18, 80, 80)})
    codes = np.digitize(X["gasto_3m"], [40, 100, 200])
    values = (0.0, 1.0, 2.0, 4.0)
    model = OrdinalDecisionClassifier(ProportionalOddsClassifier(), values=values)
    manifest = {
        "key": "id_cliente", "task": "ordinal", "decision": "argmax", "classes": CLASSES,
        "features": list(X.columns), "versions": get_library_versions(),
    }  # fmt: skip
    path = data_root / "06_models" / "purchase_intensity" / "champion.skops"
    EstimatorDataset(filepath=str(path)).save(StoredModel(model.fit(X, codes), manifest))


@pytest.fixture
def write_features(data_root):
    def write(frame):
        folder = data_root / "04_feature"
        folder.mkdir(parents=True)
        frame.to_parquet(folder / "scoring_features.parquet", index=False)

    return write


FEATURES = pd.DataFrame(
    {
        "id_cliente": ["b", "a", "c"],
        "gasto_3m": [500.0, 1.0, 0.0],
        "edad": [30.0, 40.0, 0.0],
        "sin_historial": [0, 0, 1],
    }
)


def test_the_stored_champion_scores_every_customer_in_both_forms(
    stored, write_features, run_kedro, data_root
):
    write_features(FEATURES)
    scores = run_kedro("scoring", tags=["purchase_intensity"]).load("purchase_intensity.scores")
    assert scores["id_cliente"].tolist() == ["a", "b", "c"]
    assert scores["clase"].tolist() == ["sin_compra", "alta", "sin_historial"]
    assert scores["razon_1"].tolist() == [
        "gasto en 3 meses = 1 (↓)", "gasto en 3 meses = 500 (↑)", "sin historial de compras",
    ]  # fmt: skip
    written = pd.read_csv(data_root / "07_model_output/purchase_intensity/scores.csv")
    pd.testing.assert_frame_equal(written, scores, check_dtype=False)


def test_a_feature_that_is_gone_is_named(stored, write_features, run_kedro):
    write_features(FEATURES.drop(columns="edad"))
    with pytest.raises(TrainingDataError, match=r"lacks the column\(s\) edad"):
        run_kedro("scoring", tags=["purchase_intensity"])


def test_without_a_champion_the_training_command_is_named(write_features, run_kedro):
    write_features(FEATURES)
    with pytest.raises(MissingStageInputError, match=r"kedro run --pipelines=.*training"):
        run_kedro("scoring", tags=["purchase_intensity"])
