import json

import pytest
from kedro.io import DatasetError
from sklearn.dummy import DummyClassifier

from clientela.datasets.model_packages import EstimatorDataset
from clientela.models.stored_model import StoredModel, get_library_versions


@pytest.fixture
def model():
    estimator = DummyClassifier(strategy="prior").fit([[0], [1], [2]], [0, 1, 1])
    return StoredModel(estimator, {"features": ["x"], "versions": get_library_versions()})


@pytest.fixture
def dataset(tmp_path):
    return EstimatorDataset(filepath=str(tmp_path / "models" / "champion.skops"))


def test_a_model_returns_with_its_manifest(dataset, model, tmp_path):
    dataset.save(model)
    loaded = dataset.load()
    assert loaded.estimator.predict([[5]]).tolist() == [1]
    assert loaded.features == ["x"]
    written = json.loads((tmp_path / "models" / "champion.json").read_text("utf-8"))
    assert loaded.manifest == written
    assert len(written["sha256"]) == 64


def test_saving_twice_writes_the_same_bytes(dataset, model, tmp_path):
    def written():
        dataset.save(model)
        return {path.name: path.read_bytes() for path in (tmp_path / "models").iterdir()}

    assert written() == written()


def test_a_changed_file_is_not_opened(dataset, model, tmp_path):
    dataset.save(model)
    path = tmp_path / "models" / "champion.skops"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DatasetError, match="the SHA-256 differs"):
        dataset.load()


@pytest.mark.parametrize(("content", "message"), [("{", "is not JSON"), ("[]", "JSON object")])
def test_a_damaged_manifest_is_named(dataset, model, tmp_path, content, message):
    dataset.save(model)
    (tmp_path / "models" / "champion.json").write_text(content, "utf-8")
    with pytest.raises(DatasetError, match=message):
        dataset.load()


@pytest.mark.parametrize("lost", ["champion.skops", "champion.json"])
def test_a_missing_file_names_the_stage_to_run(dataset, model, tmp_path, lost):
    dataset.save(model)
    (tmp_path / "models" / lost).unlink()
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="Run the training stage first"):
        dataset.load()


def test_another_file_system_holds_models_too(model):
    dataset = EstimatorDataset(filepath="memory://bucket/models/champion.skops")
    dataset.save(model)
    assert dataset.exists()
    assert dataset.load().estimator.predict([[5]]).tolist() == [1]
