"""The required model as files for other machines: native XGBoost, and what its score means."""

import json
from collections.abc import Mapping
from typing import Any

from xgboost import XGBModel

from clientela.exceptions import ConfigurationError
from clientela.modelling.storage.stored_model import StoredModel, sha256_of

NATIVE_MODEL = "xgboost-model"
"""The only file at the top of `model.tar.gz`: with any other one there, the prebuilt XGBoost
container refuses to start."""


def archive_files(model: StoredModel) -> dict[str, bytes]:
    """What `model.tar.gz` holds: the native model on top, its meaning in `code/`.

    Args:
        model: A model around one XGBoost regressor.

    Returns:
        Path to content.

    Raises:
        ConfigurationError: The model is not one.
    """
    native, meaning = _native(model), _meaning(model)
    return {NATIVE_MODEL: native} | {f"code/{name}": content for name, content in meaning.items()}


def folder_files(model: StoredModel) -> dict[str, bytes]:
    """The same files as a folder to read from: native model and manifest side by side.

    Args:
        model: A model around one XGBoost regressor.

    Returns:
        Path to content.

    Raises:
        ConfigurationError: The model is not one.
    """
    return {f"{NATIVE_MODEL}.ubj": _native(model)} | _meaning(model)


def _native(model: StoredModel) -> bytes:
    inner = getattr(model.estimator, "regressor_", None)
    if not isinstance(inner, XGBModel):
        raise ConfigurationError(
            "The required model is packaged as a native XGBoost model, but "
            f"training.candidates.{model.manifest['candidate']} is of kind "
            f"{model.manifest['kind']!r}. Give the role 'required' to a candidate of kind "
            "'xgboost_regressor'."
        )
    return bytes(inner.get_booster().save_raw("ubj"))


def _meaning(model: StoredModel) -> dict[str, bytes]:
    manifest = model.manifest
    thresholds = {
        "decision": manifest["decision"],
        "cut_points": model.estimator.cut_points_.tolist(),
        "classes": manifest["classes"],
        "values": manifest["values"],
        "rule": "class = number of cut points strictly below the score",
    }
    described = manifest | {"native_model_sha256": sha256_of(_native(model))}
    return {
        "thresholds.json": json_bytes(thresholds),
        "features.json": json_bytes(manifest["features"]),
        "manifest.json": json_bytes(described),
    }


def json_bytes(content: Mapping[str, Any] | list[str]) -> bytes:
    """JSON as bytes, indented, ending in a newline.

    Args:
        content: What to write.

    Returns:
        UTF-8 bytes.
    """
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
