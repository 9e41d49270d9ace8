import json

import numpy as np
import pytest
from xgboost import Booster, DMatrix

from clientela.exceptions import ConfigurationError
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate
from clientela.registry.package import build_archive_files, build_folder_files


@pytest.fixture
def required(train, problem):
    return fit_model(train, get_configured_candidate("requerido", problem), problem)


def test_only_the_native_model_lies_at_the_top_of_the_archive(required):
    names = sorted(build_archive_files(required))
    assert names == [
        "code/features.json", "code/manifest.json", "code/thresholds.json", "xgboost-model",
    ]  # fmt: skip


def test_the_archive_alone_reproduces_score_and_class(required, train):
    files = build_archive_files(required)
    booster = Booster()
    booster.load_model(bytearray(files["xgboost-model"]))
    features = json.loads(files["code/features.json"])
    thresholds = json.loads(files["code/thresholds.json"])
    # the container gets CSV without names
    score = booster.predict(DMatrix(train[features].to_numpy()), validate_features=False)
    codes = [sum(cut < value for cut in thresholds["cut_points"]) for value in score]
    assert (np.array(codes) == required.estimator.predict(train[features])).all()
    assert thresholds["cut_points"] == [0.5, 1.5, 3.0]
    assert thresholds["values"] == [0.0, 1.0, 2.0, 4.0]


def test_the_folder_holds_native_model_and_manifest(required):
    files = build_folder_files(required)
    assert sorted(files) == [
        "features.json", "manifest.json", "thresholds.json", "xgboost-model.ubj",
    ]  # fmt: skip
    manifest = json.loads(files["manifest.json"])
    assert manifest["problem_type"] == "ordinal_regression"
    assert manifest["params"] == {"n_estimators": 8, "max_depth": 3}


def test_two_fits_give_the_same_bytes(required, train, problem):
    twin = fit_model(train, get_configured_candidate("requerido", problem), problem)
    assert build_archive_files(twin) == build_archive_files(required)


def test_a_required_model_of_another_kind_is_refused(train, problem):
    linear = fit_model(train, get_configured_candidate("lineal", problem), problem)
    with pytest.raises(ConfigurationError, match=r"candidates\.lineal is of kind"):
        build_archive_files(linear)
