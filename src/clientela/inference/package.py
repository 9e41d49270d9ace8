"""The package of a served model: one `model.tar.gz`, its bytes a function of its content alone.

    manifest.json    the account of the model, with the SHA-256 of every other file
    model.skops      the fitted estimator; skops runs no code of the file when it is loaded

A package is verified before anything in it is loaded: its own SHA-256 where one is known, the list
of its files, and the SHA-256 of each.
"""

import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from clientela.exceptions import ModelFileError
from clientela.inference.manifest import FORMAT, ServedManifest
from clientela.modelling.storage.archive import archived, unarchived
from clientela.modelling.storage.packaging import json_bytes
from clientela.modelling.storage.persistence import skops_bytes
from clientela.modelling.storage.stored_model import StoredModel, unpacked
from clientela.registry.whole_files import sha256_of

MANIFEST: Final = "manifest.json"
MODEL: Final = "model.skops"
VERSION_DIGITS: Final = 12
LARGEST: Final = 2 * 1024**3
"""Bytes that all files of a package may have together: an archive can grow a thousandfold."""

AGAIN = "Run the deployment stage again, or take the package from a copy."


@dataclass(frozen=True)
class ServedModel:
    """A package that was opened.

    Attributes:
        manifest: What it says of itself.
        model: The fitted model with the manifest of its training.
    """

    manifest: ServedManifest
    model: StoredModel


def package(model: StoredModel, told: Mapping[str, Any]) -> tuple[bytes, ServedManifest]:
    """A model as the bytes of its package.

    Args:
        model: Fitted.
        told: The fields of `ServedManifest` but `format`, `version`, `model` and `files`.

    Returns:
        Bytes of `model.tar.gz`, the same for the same model and fields; its manifest.
    """
    content = skops_bytes(model.estimator)
    files = {MODEL: sha256_of(content)}
    # the hash of its file stands with the others
    described = {name: value for name, value in model.manifest.items() if name != "sha256"}
    account = {**told, "model": described, "files": files}
    # the version is made of everything else, so that another text of a label is another version
    draft = ServedManifest.model_validate({**account, "version": "0" * VERSION_DIGITS})
    version = sha256_of(_manifest_bytes(draft))[:VERSION_DIGITS]
    manifest = draft.model_copy(update={"version": version})
    return archived({MANIFEST: _manifest_bytes(manifest), MODEL: content}), manifest


def opened(content: bytes, where: str, sha256: str | None = None) -> ServedModel:
    """The model of a package, after checking every byte of it.

    Args:
        content: Bytes of `model.tar.gz`.
        where: What to call it in errors.
        sha256: What its own SHA-256 should be; None where nobody knows.

    Returns:
        Manifest and fitted model.

    Raises:
        ModelFileError: It is damaged, was changed, is of another format, or a library has changed.
    """
    if sha256 is not None and sha256_of(content) != sha256:
        raise ModelFileError(
            f"The package {where} is not the one that was registered (the SHA-256 differs): it "
            f"was changed, or not written to its end. {AGAIN}"
        )
    try:
        files = unarchived(content, LARGEST)
    except (tarfile.TarError, OSError, EOFError) as err:
        raise ModelFileError(
            f"The package {where} can't be read as a .tar.gz archive ({err}). {AGAIN}"
        ) from err
    return from_files(files, where)


def from_files(files: Mapping[str, bytes], where: str) -> ServedModel:
    """The model of the files of a package, as a container finds them unpacked.

    Args:
        files: Path to content.
        where: What to call them in errors.

    Returns:
        Manifest and fitted model.

    Raises:
        ModelFileError: See `opened`.
    """
    manifest = _manifest(files.get(MANIFEST), where)
    if set(files) - {MANIFEST} != set(manifest.files):
        raise ModelFileError(
            f"The package {where} should hold {', '.join(sorted({MANIFEST, *manifest.files}))}; it "
            f"holds {', '.join(sorted(files)) or 'nothing'}. {AGAIN}"
        )
    for name, expected in manifest.files.items():
        if sha256_of(files[name]) != expected:
            raise ModelFileError(
                f"{name} in the package {where} is not what the manifest describes (the SHA-256 "
                f"differs). {AGAIN}"
            )
    described = {**manifest.model, "sha256": manifest.files[MODEL]}
    return ServedModel(manifest, unpacked(files[MODEL], described, where))


def _manifest(content: bytes | None, where: str) -> ServedManifest:
    if content is None:
        raise ModelFileError(f"The package {where} holds no {MANIFEST}. {AGAIN}")
    try:
        stored = json.loads(content)
    except ValueError as err:
        raise ModelFileError(f"{MANIFEST} in {where} is no JSON ({err}). {AGAIN}") from err
    found = stored.get("format") if isinstance(stored, dict) else None
    if found != FORMAT:
        raise ModelFileError(
            f"The package {where} should be of format {FORMAT}; it is of format {found!r}. {AGAIN}"
        )
    try:
        return ServedManifest.model_validate(stored)
    except ValidationError as err:
        problem = err.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise ModelFileError(
            f"{MANIFEST} in {where} is not whole: {place}: {problem['msg']}. {AGAIN}"
        ) from err


def _manifest_bytes(manifest: ServedManifest) -> bytes:
    return json_bytes(manifest.model_dump(mode="json"))
