"""Files that are there whole or not at all, on local folders and object stores alike."""

import hashlib
from pathlib import PurePosixPath
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from clientela.exceptions import ModelFileError


def sha256_of(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits.

    Args:
        content: Any bytes.

    Returns:
        64 digits.
    """
    return hashlib.sha256(content).hexdigest()


def read_whole(address: str) -> bytes | None:
    """What lies at an address now.

    Args:
        address: Local, or with its protocol.

    Returns:
        Its bytes; None where nothing lies there.
    """
    fs, path = url_to_fs(address)
    fs.invalidate_cache(path)
    try:
        return bytes(fs.cat_file(path))
    except FileNotFoundError:
        return None


def write_whole(address: str, content: bytes) -> None:
    """Puts a file in place of the one that lies there; whoever reads sees one of the two.

    An object appears whole by itself; a local file is written beside its place first.

    Args:
        address: Local, or with its protocol.
        content: The file.
    """
    fs, path = url_to_fs(address)
    if not isinstance(fs, LocalFileSystem):
        # asked for its folder, an object store would make the bucket
        fs.pipe_file(path, content)
        return
    fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
    staged = f"{path}.{uuid4().hex}.part"
    try:
        fs.pipe_file(staged, content)
        fs.mv(staged, path)
    finally:
        if fs.exists(staged):
            fs.rm(staged)


def keep_whole(address: str, content: bytes) -> None:
    """Has a file that never changes lie at an address: an equal one stays, a damaged one goes.

    Args:
        address: Local, or with its protocol; its name is made of the content.
        content: The file.

    Raises:
        ModelFileError: What lies there afterwards is something else.
    """
    if read_whole(address) == content:
        return
    write_whole(address, content)
    read_verified(address, sha256_of(content))


def read_verified(address: str, sha256: str) -> bytes:
    """A file that was stored before, after checking every byte of it.

    Args:
        address: Local, or with its protocol.
        sha256: What its SHA-256 should be.

    Returns:
        Its bytes.

    Raises:
        ModelFileError: Nothing lies there, or something else.
    """
    content = read_whole(address)
    if content is None:
        raise ModelFileError(
            f"No package lies at {address}, where the registry says it is. Run the deployment "
            "stage again, or take the package from a copy."
        )
    if sha256_of(content) != sha256:
        raise ModelFileError(
            f"The package {address} is not the one that was stored (the SHA-256 differs): it was "
            "changed, or not written to its end. Run the deployment stage again: it puts the "
            "right one in its place, if the model is still the same."
        )
    return content
