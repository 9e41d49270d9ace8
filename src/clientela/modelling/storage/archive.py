"""Several files as one archive whose bytes depend on nothing but its files."""

import gzip
import io
import tarfile
from collections.abc import Mapping


def archived(files: Mapping[str, bytes]) -> bytes:
    """A `.tar.gz` archive, the same for the same files: sorted, without dates, owners or name.

    Args:
        files: Path to content.

    Returns:
        Bytes of the archive.
    """
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def unarchived(content: bytes, largest: int | None = None) -> dict[str, bytes]:
    """The files of an archive, read in memory.

    Args:
        content: Bytes of a `.tar.gz` archive.
        largest: Bytes that its files may have together; None: any number.

    Returns:
        Path to content.

    Raises:
        tarfile.TarError: It is no archive, or its files are larger than that.
    """
    files: dict[str, bytes] = {}
    left = largest
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for entry in archive:
            if left is not None:
                # by what the header promises, before a byte is unpacked
                left -= entry.size
                if left < 0:
                    raise tarfile.ReadError(f"its files are larger than {largest} bytes")
            file = archive.extractfile(entry)
            if file is not None:
                files[entry.name] = file.read()
    return files
