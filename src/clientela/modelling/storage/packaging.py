"""A model as files for other machines: native XGBoost, and what its score means."""

import json
from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline
from xgboost import XGBModel

from clientela.binary.decision_classifier import BinaryDecisionClassifier
from clientela.exceptions import ConfigurationError
from clientela.modelling.storage.stored_model import StoredModel
from clientela.ordinal.regressor import OrdinalRegressor
from clientela.registry.whole_files import sha256_of
from clientela.tabular.matrix_recipe import matrix_recipe

NATIVE_MODEL = "xgboost-model"
"""The only file at the top of `model.tar.gz`: with any other one there, the prebuilt XGBoost
container refuses to start."""

PREPROCESS, MODEL = "preprocess", "model"
"""Steps of a pipeline behind a binary model."""


def is_native(model: StoredModel) -> bool:
    """Whether a model can be given away as a native XGBoost model.

    Args:
        model: Any.

    Returns:
        Whether one booster makes its score: a regressor of ordinal classes, or a classifier behind
        the preprocessing of a table.
    """
    return _learner(model.estimator) is not None


def archive_files(model: StoredModel) -> dict[str, bytes]:
    """What `model.tar.gz` holds: the native model on top, its meaning in `code/`.

    Args:
        model: A model around one XGBoost regressor or classifier.

    Returns:
        Path to content: `xgboost-model`; in `code/` `manifest.json`, `features.json` (the columns
        of the matrix that the booster reads, in their order), `thresholds.json` (from its score to
        a class), and behind preprocessing `preprocessing.json` (from features to the matrix; see
        `clientela.tabular.matrix_recipe`).

    Raises:
        ConfigurationError: The model is not one.
    """
    native, meaning = _native(model), _meaning(model)
    return {NATIVE_MODEL: native} | {f"code/{name}": content for name, content in meaning.items()}


def folder_files(model: StoredModel) -> dict[str, bytes]:
    """The same files as a folder to read from: native model and manifest side by side.

    Args:
        model: A model around one XGBoost regressor or classifier.

    Returns:
        Path to content.

    Raises:
        ConfigurationError: The model is not one.
    """
    return {f"{NATIVE_MODEL}.ubj": _native(model)} | _meaning(model)


def _learner(estimator: Any) -> XGBModel | None:
    inner = None
    if isinstance(estimator, OrdinalRegressor):
        inner = estimator.regressor_
    elif isinstance(estimator, BinaryDecisionClassifier):
        pipeline = estimator.classifier_
        inner = pipeline.named_steps.get(MODEL) if isinstance(pipeline, Pipeline) else None
    return inner if isinstance(inner, XGBModel) else None


def _native(model: StoredModel) -> bytes:
    inner = _learner(model.estimator)
    if inner is None:
        raise ConfigurationError(
            "The required model is packaged as a native XGBoost model, but "
            f"training.candidates.{model.manifest['candidate']} is of kind "
            f"{model.manifest['kind']!r}. Give the role 'required' to a candidate of kind "
            "'xgboost_regressor' (ordinal classes) or 'xgboost_classifier' (two classes)."
        )
    return bytes(inner.get_booster().save_raw("ubj"))


def _meaning(model: StoredModel) -> dict[str, bytes]:
    manifest, estimator = model.manifest, model.estimator
    described = manifest | {"native_model_sha256": sha256_of(_native(model))}
    if isinstance(estimator, OrdinalRegressor):
        columns, thresholds, more = list(manifest["features"]), _cut_points(model), {}
    else:
        recipe = matrix_recipe(estimator.classifier_.named_steps[PREPROCESS])
        columns, thresholds = [step["column"] for step in recipe], _threshold(model)
        more = {"preprocessing.json": json_bytes(recipe)}
    return {
        "thresholds.json": json_bytes(thresholds),
        "features.json": json_bytes(columns),
        "manifest.json": json_bytes(described),
        **more,
    }


def _cut_points(model: StoredModel) -> dict[str, Any]:
    return {
        "decision": model.manifest["decision"],
        "cut_points": model.estimator.cut_points_.tolist(),
        "classes": model.manifest["classes"],
        "values": model.manifest["values"],
        "rule": "class = number of cut points strictly below the score",
    }


def _threshold(model: StoredModel) -> dict[str, Any]:
    estimator = model.estimator
    return {
        "decision": model.manifest["decision"],
        "threshold": float(estimator.threshold_),
        "calibrate": estimator.calibrate,
        "calibration": estimator.calibration_.tolist(),
        "classes": model.manifest["classes"],
        "values": model.manifest["values"],
        "rule": "second class where the calibrated probability is not below the threshold",
    }


def json_bytes(content: Mapping[str, Any] | list[Any]) -> bytes:
    """JSON as bytes, indented, ending in a newline.

    Args:
        content: What to write.

    Returns:
        UTF-8 bytes.
    """
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
