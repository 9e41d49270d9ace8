"""A fitted model together with the account of what it is, so that neither travels alone."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from clientela.exceptions import ModelFileError
from clientela.modelling.storage.persistence import estimator_from_bytes, skops_bytes
from clientela.registry.whole_files import sha256_of

LIBRARIES = ("scikit-learn", "xgboost", "numpy", "scipy", "pandas", "skops")

ALSO_CALLED = {"xgboost": "xgboost-cpu"}
"""The same library without what only a GPU needs, as the images have it."""

SAME_VERSION = ("scikit-learn", "xgboost")
"""Libraries whose fitted objects are theirs: another minor version may read them differently."""


@dataclass(frozen=True)
class StoredModel:
    """A fitted model with its manifest.

    Attributes:
        estimator: Fitted.
        manifest: Features, classes, parameters, versions; see
            `clientela.modelling.storage.manifest`.
    """

    estimator: Any
    manifest: dict[str, Any]

    @property
    def features(self) -> list[str]:
        """Features in the order of fitting."""
        return list(self.manifest["features"])


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a model depends on."""
    return {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return version(ALSO_CALLED.get(library, library))


def frame_sha256(frame: pd.DataFrame) -> str:
    """A fingerprint of a table's columns, values and row order.

    Args:
        frame: Any table.

    Returns:
        64 hexadecimal digits.
    """
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype=np.uint64)
    return sha256_of("|".join(map(str, frame.columns)).encode() + rows.tobytes())


def packed(model: StoredModel) -> tuple[bytes, dict[str, Any]]:
    """The model file's bytes, and the manifest with their fingerprint.

    Args:
        model: What to store.

    Returns:
        Bytes of a skops file, manifest.
    """
    content = skops_bytes(model.estimator)
    return content, model.manifest | {"sha256": sha256_of(content)}


def unpacked(content: bytes, manifest: dict[str, Any], where: str) -> StoredModel:
    """The model of a file, after checking the file against its manifest.

    Args:
        content: Bytes of the model file.
        manifest: Its manifest.
        where: What to name in errors.

    Returns:
        The model.

    Raises:
        ModelFileError: The bytes are not those the manifest describes, or a library has changed.
    """
    if sha256_of(content) != manifest.get("sha256"):
        raise ModelFileError(
            f"The model file {where} is not the one that its manifest describes (the SHA-256 "
            "differs): one of the two was changed or copied alone. Run the training stage again."
        )
    installed, stored = library_versions(), manifest.get("versions", {})
    for name in SAME_VERSION:
        if _minor(installed[name]) != _minor(str(stored.get(name))):
            raise ModelFileError(
                f"The model {where} was trained with {name} {stored.get(name)}, and "
                f"{installed[name]} is installed. Run the training stage again, or install the "
                "locked dependencies (make install)."
            )
    return StoredModel(estimator_from_bytes(content), manifest)


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]
