"""What a new endpoint is asked first, and the answer that is already known."""

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from clientela.exceptions import DeploymentFailed
from clientela.inference.manifest import ServedManifest
from clientela.modelling.storage.archive import unarchived
from clientela.modelling.storage.packaging import NATIVE_MODEL
from clientela.registry.whole_files import sha256_of

CSV: Final = "text/csv"
JSON: Final = "application/json"
FEATURES: Final = "code/features.json"
MEANING: Final = "code/manifest.json"
LARGEST: Final = 2 * 1024**3
"""Bytes that all files of an archive may have together."""


@dataclass(frozen=True)
class Question:
    """A request with its answer.

    Attributes:
        request: Arguments of `invoke_endpoint`, without the endpoint.
        expected: The answer, computed when the model was packaged, or by the packaged model now.
        read: Takes the answer out of a body; None where there is none in it.
    """

    request: dict[str, Any]
    expected: float
    read: Callable[[bytes], float | None]


def question_for_ours(manifest: ServedManifest) -> Question:
    """The example of a package, for our own container.

    Args:
        manifest: Of the package.

    Returns:
        The case by its fields, and what the package says of it.
    """
    body = json.dumps({"data": [manifest.example.case]}, ensure_ascii=False)
    return Question(
        {"ContentType": JSON, "Accept": JSON, "Body": body},
        manifest.example.expected,
        lambda answer: _number_in_json(answer, manifest.score_name),
    )


def question_for_native(manifest: ServedManifest, archive: bytes, where: str) -> Question:
    """A row of the native model, for the prebuilt XGBoost container.

    Args:
        manifest: Of the package.
        archive: What that container is given.
        where: Its address, for errors.

    Returns:
        The example of the package where its fields are the columns of the model, else a row of
        zeros; and what the model in the archive says of it, here.

    Raises:
        DeploymentFailed: The archive is damaged, or was changed.
    """
    files = _verified(archive, where)
    columns = json.loads(files[FEATURES])
    case = manifest.example.case
    known = set(columns) <= set(case)
    row = [case[name] if known else 0 for name in columns]
    line = ",".join("" if value is None else repr(value) for value in row)
    expected = _predicted(files[NATIVE_MODEL], row)
    return Question({"ContentType": CSV, "Accept": CSV, "Body": line}, expected, _first_number)


def _verified(archive: bytes, where: str) -> dict[str, bytes]:
    try:
        files = unarchived(archive, LARGEST)
        promised = json.loads(files[MEANING])["native_model_sha256"]
        whole = sha256_of(files[NATIVE_MODEL]) == promised and FEATURES in files
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError) as err:
        raise DeploymentFailed(_damaged(where, f"can't be read ({type(err).__name__})")) from err
    if not whole:
        raise DeploymentFailed(_damaged(where, "holds another model than it describes"))
    return files


def _damaged(where: str, how: str) -> str:
    return f"The archive {where} {how}; it is not deployed. Run the deployment stage again."


def _predicted(native: bytes, row: list[Any]) -> float:
    import xgboost as xgb  # noqa: PLC0415 - heavy, and rarely used

    booster = xgb.Booster(model_file=bytearray(native))
    values = np.array([[np.nan if value is None else float(value) for value in row]])
    # the container knows no names either
    data = xgb.DMatrix(values, feature_names=booster.feature_names)
    return float(booster.predict(data)[0])


def _first_number(body: bytes) -> float | None:
    try:
        # the container ends each answer with a line end, or parts several by commas
        return float(body.decode("utf-8", "replace").strip().split("\n")[0].split(",")[0])
    except ValueError:
        return None


def _number_in_json(body: bytes, name: str) -> float | None:
    try:
        return next(_numbers_named(name, json.loads(body)), None)
    except ValueError:
        return None


def _numbers_named(name: str, content: Any) -> Iterator[float]:
    """Every number of that name, the first case's first."""
    if isinstance(content, dict):
        found = content.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool):
            yield float(found)
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _numbers_named(name, each)
