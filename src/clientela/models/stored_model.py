"""A fitted model with the account of what it is, as files that run no code when they are opened.

The form is skops: an archive of a schema and arrays, loaded only when each type in it is trusted.
skops writes dates, memory addresses and random names into it; here they become constants and
counters, so that equal estimators are equal files.
"""

import io
import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
import pandas as pd

from clientela.exceptions import ModelFileError
from clientela.models.problem import Candidate, Problem
from clientela.storage import compute_sha256

# Trusted because they are ours: plain attributes, and arithmetic on arrays.
OUR_ESTIMATORS = (
    "clientela.models.binary_decision.BinaryDecisionClassifier",
    "clientela.models.binary_decision.ThresholdRule",
    "clientela.models.scorecard.WoeScorecard",
    "clientela.models.ordinal_estimators.CumulativeBinaryClassifier",
    "clientela.models.ordinal_decision.OrdinalDecisionClassifier",
    "clientela.models.ordinal_estimators.LastQuarterRule",
    "clientela.models.ordinal_estimators.ProportionalOddsClassifier",
    "clientela.models.ordinal_estimators.OrdinalRegressor",
    "clientela.features.preprocessing.ColumnsAmong",
    "clientela.features.preprocessing.log_of_positive",
    "clientela.features.preprocessing.words_as_objects",
)

# Trusted because the models are theirs. A booster is bytes that XGBoost parses: it runs no code,
# but a crafted one may crash the process, so files from strangers stay unopened.
XGBOOST_MODELS = (
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)

# Trusted because it is arrays: scikit-learn's C class checks their form when they are set.
FOREST_TREES = ("sklearn.tree._tree.Tree",)

# Trusted because it is a plain Python class around three arrays: no code of its own runs when it
# is loaded. Nobody checks that a node's children exist, so what holds for boosters holds here.
BOOSTED_TREES = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)

# Trusted because they only describe: an imputer remembers the type of its column.
DESCRIPTIONS = ("numpy.dtype",)

# Every type that may stand in a model file, beyond those of scikit-learn and NumPy.
TRUSTED_TYPES = OUR_ESTIMATORS + XGBOOST_MODELS + FOREST_TREES + BOOSTED_TREES + DESCRIPTIONS

SCHEMA = "schema.json"

# What an archive entry without a date carries: the first one the format knows.
EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)


def encode_estimator(estimator: Any) -> bytes:
    """A fitted estimator as the bytes of a skops file, equal for equal estimators.

    Raises:
        ModelFileError: The estimator holds a type that no file may hold.
    """
    import skops.io  # noqa: PLC0415 - imports all of scikit-learn, and every command comes by

    written = skops.io.dumps(estimator)
    strange = set(skops.io.get_untrusted_types(data=written)) - set(TRUSTED_TYPES)
    if strange:
        raise ModelFileError(_explain_untrusted_types(strange, "Build the model from other parts"))
    return _normalize_archive(written)


def decode_estimator(content: bytes) -> Any:
    """The estimator that a skops file holds.

    Raises:
        ModelFileError: The bytes are no skops file, or hold a type that is not trusted.
    """
    import skops.io  # noqa: PLC0415 - as above
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    try:
        return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as err:
        strange = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
        raise ModelFileError(
            _explain_untrusted_types(strange, "Load only models that this project wrote")
        ) from err
    except (BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError) as err:
        raise ModelFileError(
            f"Expected a model file in skops form, but {len(content)} bytes can't be read as one "
            f"({type(err).__name__}: {err}). Run the training stage again to rewrite it."
        ) from err


def _explain_untrusted_types(names: set[str], advice: str) -> str:
    return (
        f"A model file may hold scikit-learn, XGBoost and Clientela types only; "
        f"this one holds {', '.join(sorted(names))}. {advice}, or add the type to TRUSTED_TYPES "
        "after reading its code."
    )


def _normalize_archive(written: bytes) -> bytes:
    """The same archive with counters for addresses and names, and one date."""
    buffer = io.BytesIO()
    numbers = count()
    origin: dict[str, str] = {}

    def numbered(node: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {"__id__": next(numbers)} if "__id__" in node else {}
        old = node.get("file")
        if isinstance(old, str):
            changes["file"] = f"{len(origin):04d}{PurePosixPath(old).suffix}"
            origin[changes["file"]] = old
        return node | changes

    with ZipFile(io.BytesIO(written)) as source, ZipFile(buffer, "w") as target:
        schema = json.loads(source.read(SCHEMA), object_hook=numbered)
        target.writestr(ZipInfo(SCHEMA, EARLIEST_DATE), json.dumps(schema, indent=2))
        for new, old in origin.items():
            target.writestr(ZipInfo(new, EARLIEST_DATE), _strip_padding(source.read(old)))
    return buffer.getvalue()


def _strip_padding(content: bytes) -> bytes:
    """An array of records with zeros between its fields; any other content as it is.

    The nodes of a tree are C structures, and what stands between their fields is whatever the
    memory held.
    """
    if not content.startswith(np.lib.format.MAGIC_PREFIX):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    # not zeros_like: that fills fields, and leaves what stands between them
    clean, written = np.zeros(array.shape, array.dtype), io.BytesIO()
    for name in array.dtype.names:
        clean[name] = array[name]
    np.save(written, clean, allow_pickle=False)
    return written.getvalue()


LIBRARIES = ("scikit-learn", "xgboost", "numpy", "scipy", "pandas", "skops")

# The same library without what only a GPU needs, as the images have it.
ALSO_CALLED = {"xgboost": "xgboost-cpu"}

# Libraries whose fitted objects are theirs: another minor version may read them differently.
SAME_VERSION = ("scikit-learn", "xgboost")


@dataclass(frozen=True)
class StoredModel:
    """A fitted model with its manifest."""

    estimator: Any
    manifest: dict[str, Any]

    @property
    def features(self) -> list[str]:
        """Features in the order of fitting."""
        return list(self.manifest["features"])


def get_library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a model depends on."""
    return {"python": platform.python_version()} | {name: _get_version(name) for name in LIBRARIES}


def _get_version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return version(ALSO_CALLED.get(library, library))


def compute_frame_sha256(frame: pd.DataFrame) -> str:
    """A fingerprint of a table's columns, values and row order."""
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype=np.uint64)
    return compute_sha256("|".join(map(str, frame.columns)).encode() + rows.tobytes())


def encode_model(model: StoredModel) -> tuple[bytes, dict[str, Any]]:
    """The model file's bytes, and the manifest with their fingerprint."""
    content = encode_estimator(model.estimator)
    return content, model.manifest | {"sha256": compute_sha256(content)}


def decode_model(content: bytes, manifest: dict[str, Any], where: str) -> StoredModel:
    """The model of a file, after checking the file against its manifest.

    Raises:
        ModelFileError: The bytes are not those the manifest describes, or a library has changed.
    """
    if compute_sha256(content) != manifest.get("sha256"):
        raise ModelFileError(
            f"The model file {where} is not the one that its manifest describes (the SHA-256 "
            "differs): one of the two was changed or copied alone. Run the training stage again."
        )
    installed, stored = get_library_versions(), manifest.get("versions", {})
    for name in SAME_VERSION:
        if _get_minor_version(installed[name]) != _get_minor_version(str(stored.get(name))):
            raise ModelFileError(
                f"The model {where} was trained with {name} {stored.get(name)}, and "
                f"{installed[name]} is installed. Run the training stage again, or install the "
                "locked dependencies (make install)."
            )
    return StoredModel(decode_estimator(content), manifest)


def _get_minor_version(text: str) -> list[str]:
    return text.split(".")[:2]


def build_model_manifest(
    train: pd.DataFrame, contender: Candidate, problem: Problem
) -> dict[str, Any]:
    """What a model is; the same for the same data, settings and libraries."""
    schema, settings = problem.schema, problem.settings
    candidate = settings.candidates[contender.candidate]
    tabular = schema.tabular
    described = {} if tabular is None else {"tabular": tabular.model_dump(mode="json")}
    return described | {
        "candidate": contender.candidate,
        "kind": candidate.kind,
        "role": candidate.role,
        "task": problem.task.name,
        "problem_type": problem.task.problem_type,
        "key": schema.key,
        "target": schema.target,
        "features": schema.features(contender.features),
        "classes": list(schema.classes),
        "values": list(schema.values),
        "decision": contender.decision,
        "params": dict(contender.params),
        "primary_metric": settings.primary_metric,
        "seed": settings.seed,
        "training_rows": len(train),
        "training_data_sha256": compute_frame_sha256(train),
        "versions": get_library_versions(),
    }
