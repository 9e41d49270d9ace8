"""Files in local folders and object stores: read, written whole or not at all, verified.

Most of the project reaches storage through fsspec. Where AWS itself will be pointed at a file, it
is reached by boto3, with the retries, the key and the words of errors that the stages of SageMaker
share.
"""

import atexit
import ctypes
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import uuid4

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from clientela.aws_clients import Clients, convert_aws_errors, is_absent
from clientela.aws_settings import AwsSettings
from clientela.exceptions import ConfigurationError, ModelFileError, RegistryError, ServingError

# AT_FDCWD and RENAME_EXCHANGE of Linux.
HERE, EXCHANGE = -100, 2

# How the temporary folders are named that a living process holds.
HELD: Final = "clientela-held-"

ADDRESS: Final = re.compile(r"^s3://(?P<bucket>[^/]+)/(?P<key>.+)$")


def split_s3_address(address: str) -> tuple[str, str]:
    """The two parts of an address."""
    found = ADDRESS.match(address)
    if found is None:
        raise RegistryError(
            f"SageMaker reads models from S3 only; {address!r} lies elsewhere. Run the deployment "
            "stage with --env=aws."
        )
    return found["bucket"], found["key"]


def require_object(address: str, clients: Clients, doing: str) -> None:
    """Stop where a file that AWS will be pointed at is not there.

    Raises:
        RegistryError: Nothing lies there, or AWS can't be reached, or refuses.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    bucket, key = split_s3_address(address)
    with convert_aws_errors(f"{doing}: looking for {address}", "s3", RegistryError):
        try:
            clients("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as err:
            if not is_absent(err):
                raise
            raise RegistryError(
                f"{doing}: nothing lies at {address}. Run the deployment stage again; what is "
                "there already is kept."
            ) from err


def read_object(address: str, clients: Clients, error: type[ServingError]) -> bytes:
    """The bytes of a file.

    Raises:
        ServingError: An `error`: it is not there, or AWS can't be reached, or refuses.
    """
    bucket, key = split_s3_address(address)
    with convert_aws_errors(f"Reading {address}", "s3", error):
        content: bytes = clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def write_object(
    content: bytes,
    address: str,
    clients: Clients,
    settings: AwsSettings,
    error: type[ServingError],
) -> None:
    """Write a file: S3 shows it whole, or not at all.

    Raises:
        ServingError: An `error`: AWS can't be reached, or refuses.
    """
    bucket, key = split_s3_address(address)
    encryption = (
        {}
        if settings.kms_key is None
        else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key}
    )
    with convert_aws_errors(f"Writing {address}", "s3", error):
        clients("s3").put_object(Bucket=bucket, Key=key, Body=content, **encryption)


def make_parent_folder(address: str) -> None:
    """Makes the folder that a file is about to lie in, where there are folders.

    An object store has none. Asked for one, s3fs would make the bucket: a mistyped name would
    collect data in a new bucket instead of being refused.
    """
    fs, path = url_to_fs(address)
    if isinstance(fs, LocalFileSystem):
        fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)


def refresh_listing(fs: fsspec.AbstractFileSystem, path: str) -> None:
    """Forgets what was known of a file and, on an object store, lists its folder once.

    The engine asks for a file's size and date eight times each time that it opens one. From a
    listed folder s3fs answers by itself; else each answer is a request.
    """
    fs.invalidate_cache(path)
    if not isinstance(fs, LocalFileSystem):
        # who may read objects but not list them still gets each answer by a request
        with suppress(FileNotFoundError, PermissionError):
            fs.ls(path.rpartition("/")[0])


def is_stored(address: str) -> bool:
    """Whether a file or folder lies at an address now, whatever was known of it before."""
    fs, path = url_to_fs(address)
    fs.invalidate_cache(path)
    return bool(fs.exists(path))


def remove_if_present(address: str) -> None:
    """Removes the file or folder that lies at an address, if one does."""
    fs, path = url_to_fs(address)
    fs.invalidate_cache(path)
    if fs.exists(path):
        fs.rm(path, recursive=True)


def make_temporary_folder(kind: str) -> Path:
    """A folder for rows of people, gone with this process or, if that was killed, at the next run.

    A lock on it dies with the process. It gets its name with the lock, so that nobody takes a new
    one for abandoned.
    """
    made = Path(tempfile.mkdtemp(prefix=".clientela-"))
    try_lock(made)
    folder = made.rename(made.with_name(f"{HELD}{kind}{made.name}"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def remove_abandoned_folders() -> None:
    """Removes the temporary folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{HELD}*"):
        with suppress(OSError):
            held = try_lock(folder)
            if held is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)


def try_lock(path: Path, *, waits: bool = False) -> int | None:
    """Locks a file or folder for as long as this process lives or the descriptor is open.

    Returns:
        The descriptor; None where somebody else holds the lock.
    """
    import fcntl  # noqa: PLC0415 - Windows has none

    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def replace_atomically(address: str, suffix: str | None = None) -> Iterator[str]:
    """The place to write a file or folder, which takes its address only once it is whole.

    What fails leaves the one that lay there before, and nothing beside it.

    Args:
        suffix: What is added to the address meanwhile; None for one that no other writer has. With
            a fixed one, what a killed run left behind is removed first.
    """
    staged = address + (suffix or f".{uuid4().hex}.part")
    if suffix is not None:
        remove_if_present(staged)
    make_parent_folder(staged)
    try:
        yield staged
    except BaseException:
        remove_if_present(staged)
        raise
    (fs, source), (_, target) = url_to_fs(staged), url_to_fs(address)
    if isinstance(fs, LocalFileSystem):
        _replace_path(Path(source), Path(target))
        return
    fs.invalidate_cache(source)
    parts = fs.find(source)
    if parts != [source] or fs.isdir(target):
        remove_if_present(address)
    # an object store has no folders to move: s3fs, told to, stumbles over the folder's own name
    for part in parts:
        fs.mv(part, target + part.removeprefix(source))


def _replace_path(source: Path, target: Path) -> None:
    """Moves a file or folder into its place; a reader finds the old or the new one there."""
    if not (source.is_dir() or target.is_dir()) or not target.exists():
        source.replace(target)
        return
    # only Linux exchanges folders in one step; elsewhere the old one steps aside first
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None or exchange(HERE, bytes(source), HERE, bytes(target), EXCHANGE) != 0:
        former = target.with_name(f"{target.name}.{uuid4().hex}.part")
        target.rename(former)
        source.rename(target)
        source = former
    remove_if_present(str(source))


@contextmanager
def convert_storage_errors(path: str) -> Iterator[None]:
    """Gives what the storage refused its meaning back; the engine hands on only its words."""
    import duckdb  # noqa: PLC0415 - model files need no engine

    try:
        yield
    except duckdb.Error as err:
        kind, _, rest = str(err).partition(": ")
        words = rest.partition("\n")[0]
        if kind == PermissionError.__name__:
            raise PermissionError(f"{path}: {words}") from err
        if kind == FileNotFoundError.__name__:
            raise ConfigurationError(
                f"{path} can't be written: {words}. Check the variable BUCKET, or make the bucket."
            ) from err
        raise


def compute_sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_file_if_present(address: str) -> bytes | None:
    """What lies at an address now; None where nothing lies there."""
    fs, path = url_to_fs(address)
    fs.invalidate_cache(path)
    try:
        return bytes(fs.cat_file(path))
    except FileNotFoundError:
        return None


def write_file_atomically(address: str, content: bytes, suffix: str | None = None) -> None:
    """Puts a file in place of the one that lies there; whoever reads sees one of the two.

    An object appears whole by itself; a local file is written beside its place first, see
    `replace_atomically` for the suffix.
    """
    fs, path = url_to_fs(address)
    if not isinstance(fs, LocalFileSystem):
        fs.pipe_file(path, content)
        return
    with replace_atomically(address, suffix) as staged:
        fs.pipe_file(url_to_fs(staged)[1], content)


def ensure_file(address: str, content: bytes) -> None:
    """Has a file that never changes lie at an address: an equal one stays, a damaged one goes.

    Args:
        address: Local, or with its protocol; its name is made of the content.

    Raises:
        ModelFileError: What lies there afterwards is something else.
    """
    if read_file_if_present(address) == content:
        return
    write_file_atomically(address, content)
    read_and_verify(address, compute_sha256(content))


def read_and_verify(address: str, sha256: str) -> bytes:
    """A file that was stored before, after checking every byte of it."""
    content = read_file_if_present(address)
    if content is None:
        raise ModelFileError(
            f"No package lies at {address}, where the registry says it is. Run the deployment "
            "stage again, or take the package from a copy."
        )
    if compute_sha256(content) != sha256:
        raise ModelFileError(
            f"The package {address} is not the one that was stored (the SHA-256 differs): it was "
            "changed, or not written to its end. Run the deployment stage again: it puts the "
            "right one in its place, if the model is still the same."
        )
    return content
