"""Fitted estimators as files that run no code when they are opened, and never differ by chance.

The form is skops: an archive of a schema and arrays, loaded only when each type in it is trusted.
skops writes dates, memory addresses and random names into it; here they become constants and
counters, so that equal estimators are equal files.
"""

import io
import json
from itertools import count
from pathlib import PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from clientela.exceptions import ModelFileError

OUR_ESTIMATORS = (
    "clientela.binary.decision_classifier.BinaryDecisionClassifier",
    "clientela.binary.rules.ThresholdRule",
    "clientela.binary.woe_scorecard.WoeScorecard",
    "clientela.ordinal.cumulative_binary.CumulativeBinaryClassifier",
    "clientela.ordinal.decision_classifier.OrdinalDecisionClassifier",
    "clientela.ordinal.last_quarter.LastQuarterRule",
    "clientela.ordinal.proportional_odds.ProportionalOddsClassifier",
    "clientela.ordinal.regressor.OrdinalRegressor",
    "clientela.tabular.preprocessing.ColumnsAmong",
    "clientela.tabular.preprocessing.log_of_positive",
    "clientela.tabular.preprocessing.words_as_objects",
)
"""Trusted because they are ours: plain attributes, and arithmetic on arrays."""

XGBOOST_MODELS = (
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
"""Trusted because the models are theirs. A booster is bytes that XGBoost parses: it runs no code,
but a crafted one may crash the process, so files from strangers stay unopened."""

FOREST_TREES = ("sklearn.tree._tree.Tree",)
"""Trusted because it is arrays: scikit-learn's C class checks their form when they are set."""

BOOSTED_TREES = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
"""Trusted because it is a plain Python class around three arrays: no code of its own runs when it
is loaded. Nobody checks that a node's children exist, so what holds for boosters holds here."""

DESCRIPTIONS = ("numpy.dtype",)
"""Trusted because they only describe: an imputer remembers the type of its column."""

TRUSTED_TYPES = OUR_ESTIMATORS + XGBOOST_MODELS + FOREST_TREES + BOOSTED_TREES + DESCRIPTIONS
"""Every type that may stand in a model file, beyond those of scikit-learn and NumPy."""

SCHEMA = "schema.json"

EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)
"""What an archive entry without a date carries: the first one the format knows."""


def skops_bytes(estimator: Any) -> bytes:
    """A fitted estimator as the bytes of a skops file, equal for equal estimators.

    Args:
        estimator: Made of types that skops, or `TRUSTED_TYPES`, trusts.

    Returns:
        The file's content.

    Raises:
        ModelFileError: The estimator holds a type that no file may hold.
    """
    import skops.io  # noqa: PLC0415 - imports all of scikit-learn, and every command comes by

    written = skops.io.dumps(estimator)
    strange = set(skops.io.get_untrusted_types(data=written)) - set(TRUSTED_TYPES)
    if strange:
        raise ModelFileError(_untrusted(strange, "Build the model from other parts"))
    return _canonical(written)


def estimator_from_bytes(content: bytes) -> Any:
    """The estimator that a skops file holds.

    Args:
        content: What `skops_bytes` returned, or another skops file.

    Returns:
        The fitted estimator.

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
            _untrusted(strange, "Load only models that this project wrote")
        ) from err
    except (BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError) as err:
        raise ModelFileError(
            f"Expected a model file in skops form, but {len(content)} bytes can't be read as one "
            f"({type(err).__name__}: {err}). Run the training stage again to rewrite it."
        ) from err


def _untrusted(names: set[str], advice: str) -> str:
    return (
        f"A model file may hold scikit-learn, XGBoost and Clientela types only; "
        f"this one holds {', '.join(sorted(names))}. {advice}, or add the type to TRUSTED_TYPES "
        "after reading its code."
    )


def _canonical(written: bytes) -> bytes:
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
            target.writestr(ZipInfo(new, EARLIEST_DATE), _without_padding(source.read(old)))
    return buffer.getvalue()


def _without_padding(content: bytes) -> bytes:
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
