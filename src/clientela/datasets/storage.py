"""What local folders and object stores do differently when a file is written."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from clientela.exceptions import ConfigurationError


def folder_made(fs: fsspec.AbstractFileSystem, path: str) -> None:
    """Makes the folder that a file is about to lie in, where there are folders.

    An object store has none. Asked for one, s3fs would make the bucket: a mistyped name would
    collect data in a new bucket instead of being refused.

    Args:
        fs: The file system.
        path: The file, without protocol.
    """
    if isinstance(fs, LocalFileSystem):
        fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)


def looked_up_anew(fs: fsspec.AbstractFileSystem, path: str) -> None:
    """Forgets what was known of a file and, on an object store, lists its folder once.

    The engine asks for a file's size and date eight times each time that it opens one. From a
    listed folder s3fs answers by itself; else each answer is a request.

    Args:
        fs: The file system.
        path: The file or folder, with protocol or without.
    """
    fs.invalidate_cache(path)
    if not isinstance(fs, LocalFileSystem):
        # who may read objects but not list them still gets each answer by a request
        with suppress(FileNotFoundError, PermissionError):
            fs.ls(path.rpartition("/")[0])


def is_stored(address: str) -> bool:
    """Whether a file or folder lies at an address now, whatever was known of it before.

    Args:
        address: With its protocol.

    Returns:
        Whether it does.
    """
    fs, path = url_to_fs(address)
    fs.invalidate_cache(path)
    return bool(fs.exists(path))


def put_in_place(staged: str, path: str) -> None:
    """Moves a file, or a folder of files, to a place where nothing lies.

    An object store has no folders to move: s3fs, told to, stumbles over the folder's own name.

    Args:
        staged: Where it lies, with protocol or without.
        path: Where it belongs, likewise.
    """
    (fs, source), (_, target) = url_to_fs(staged), url_to_fs(path)
    if isinstance(fs, LocalFileSystem):
        fs.mv(source, target, recursive=True)
        return
    fs.invalidate_cache(source)
    for part in fs.find(source):
        fs.mv(part, target + part.removeprefix(source))


@contextmanager
def refusals_of_storage(path: str) -> Iterator[None]:
    """Gives what the storage refused its meaning back; the engine hands on only its words.

    Args:
        path: What is being written, for the message.

    Raises:
        PermissionError: The storage denied access.
        ConfigurationError: There is no such bucket.
    """
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
