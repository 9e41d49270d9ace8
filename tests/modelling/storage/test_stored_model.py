from importlib.metadata import PackageNotFoundError

import pandas as pd
import pytest

from clientela.exceptions import ModelFileError
from clientela.models import stored_model
from clientela.models.stored_model import compute_frame_sha256, decode_model, encode_model
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate


@pytest.fixture
def model(train, problem):
    return fit_model(train, get_configured_candidate("lineal", problem), problem)


def test_a_stored_model_predicts_as_before(model, train):
    content, manifest = encode_model(model)
    again = decode_model(content, manifest, "champion.skops")
    X = train[model.features]
    assert (again.estimator.predict(X) == model.estimator.predict(X)).all()
    assert again.manifest == manifest


def test_equal_models_are_equal_files(model, train, problem):
    twin = fit_model(train, get_configured_candidate("lineal", problem), problem)
    assert encode_model(model) == encode_model(twin)


def test_a_file_that_differs_from_its_manifest_is_not_opened(model):
    content, manifest = encode_model(model)
    with pytest.raises(ModelFileError, match=r"champion\.skops is not the one that its manifest"):
        decode_model(content + b"x", manifest, "champion.skops")


def test_another_minor_version_of_a_library_is_refused(model):
    content, manifest = encode_model(model)
    old = manifest | {"versions": manifest["versions"] | {"scikit-learn": "1.2.2"}}
    with pytest.raises(ModelFileError, match=r"trained with scikit-learn 1\.2\.2"):
        decode_model(content, old, "champion.skops")


def test_another_patch_version_is_fine(model, monkeypatch):
    content, manifest = encode_model(model)
    versions = dict(stored_model.get_library_versions())
    major, minor = versions["xgboost"].split(".")[:2]
    monkeypatch.setattr(
        stored_model,
        "get_library_versions",
        lambda: versions | {"xgboost": f"{major}.{minor}.99"},
    )
    assert decode_model(content, manifest, "champion.skops").features == model.features


def test_a_library_without_its_gpu_part_is_the_same_library(monkeypatch):
    # the images have xgboost-cpu in the place of xgboost
    def version(name: str) -> str:
        if name == "xgboost":
            raise PackageNotFoundError(name)
        return "3.2.0" if name == "xgboost-cpu" else "1.0"

    monkeypatch.setattr(stored_model, "version", version)
    found = stored_model.get_library_versions()
    assert found["xgboost"] == "3.2.0"
    assert "xgboost-cpu" not in found


def test_a_library_that_is_not_there_is_named(monkeypatch):
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(stored_model, "version", version)
    with pytest.raises(PackageNotFoundError, match=r"scikit-learn$"):
        stored_model.get_library_versions()


def test_the_fingerprint_of_a_table_sees_values_names_and_order():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    others = [frame.iloc[::-1], frame.rename(columns={"a": "c"}), frame.assign(a=[1, 3])]
    assert compute_frame_sha256(frame) == compute_frame_sha256(frame.copy())
    assert compute_frame_sha256(frame) not in {compute_frame_sha256(other) for other in others}
