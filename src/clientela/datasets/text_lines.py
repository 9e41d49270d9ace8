r"""Cuts a text file into its physical lines, whatever bytes it holds.

Lines are found before anything is decoded, so that bytes without meaning break their own line
alone. The line ends of every system count alike: `\n`, `\r\n`, `\r`.
"""

import codecs
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute

from clientela.exceptions import RawFileUnreadable

# Arrow makes these functions when it is imported, where type checkers do not see them.
pc: Any = pyarrow.compute

BLOCK_BYTES = 8 * 1024 * 1024
LONGEST_LINE = 8 * 1024 * 1024
SAMPLE_BYTES = 32 * 1024 * 1024
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError)


class TextLines:
    """The lines of one text file.

    Args:
        path: Where it lies, with protocol or without; a compression is known by its ending.
        encoding: `auto`, or any encoding that Python knows and whose line ends are one byte.
    """

    def __init__(self, path: str, encoding: str) -> None:
        self._path = path
        self._declared = encoding
        self._name = PurePosixPath(path).name

    @cached_property
    def encoding(self) -> str:
        """The declared encoding, or the one that fits the beginning of the file.

        Raises:
            RawFileUnreadable: It is not known, or its line ends take more than one byte.
        """
        if self._declared != "auto":
            return _known_encoding(self._declared, self._name)
        with self._opened() as file:
            sample = file.read(SAMPLE_BYTES)
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise _wide_encoding("UTF-16", self._name)
        return "utf-8" if _is_rather_utf_8(sample) else "latin-1"

    def blocks(self) -> Iterator[pa.Array]:
        """Every line, in blocks of some megabytes.

        Yields:
            Lines as bytes, without their ends and without the file's byte order mark.

        Raises:
            RawFileUnreadable: A line is longer than 8 MB, or compressed data is damaged.
        """
        done = 0
        with self._opened() as file:
            chunk, rest = file.read(BLOCK_BYTES).removeprefix(codecs.BOM_UTF8), b""
            while chunk or rest:
                whole, rest = _whole_lines(rest + chunk) if chunk else (rest, b"")
                lines = _lines_of(whole)
                self._require_lines(lines, len(rest), done)
                done += len(lines)
                if len(lines):
                    yield lines
                chunk = file.read(BLOCK_BYTES)

    def decoded(self, lines: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Lines as text, and which of them hold bytes that mean nothing in the encoding.

        Args:
            lines: Lines as bytes.

        Returns:
            Text (bytes without meaning replaced), and a flag per line.
        """
        try:
            return self._text_of(lines), pa.repeat(pa.scalar(value=False), len(lines))
        except (pa.ArrowInvalid, UnicodeDecodeError):
            rows = [_decoded_line(line, self.encoding) for line in lines.to_pylist()]
            texts, broken = zip(*rows, strict=True)
            return pa.array(texts, pa.string()), pa.array(broken, pa.bool_())

    def _text_of(self, lines: pa.Array) -> pa.Array:
        if self.encoding == "utf-8" or not len(lines):
            return lines.cast(pa.string())
        text = b"\n".join(lines.to_pylist()).decode(self.encoding)
        return pc.split_pattern(pa.array([text], pa.string()), "\n").values

    def _require_lines(self, lines: pa.Array, rest: int, done: int) -> None:
        """Stops at an endless line: the file is no table."""
        lengths = pc.binary_length(lines)
        if max(pc.max(lengths).as_py() or 0, rest) <= LONGEST_LINE:
            return
        longer = pc.index(pc.greater(lengths, LONGEST_LINE), pa.scalar(value=True)).as_py()
        line = done + 1 + (len(lines) if longer < 0 else longer)
        raise RawFileUnreadable(
            f"{self._name}: line {line} is longer than {LONGEST_LINE:,} bytes. Expected a text "
            "file with one row per line."
        )

    @contextmanager
    def _opened(self) -> Iterator[io.BufferedReader]:
        """The open file; damage that shows while it is read gets its name."""
        try:
            with fsspec.open(self._path, "rb", compression="infer") as file:
                # files on S3 and in archives may deliver less than is asked for
                yield io.BufferedReader(file)
        except PermissionError:
            raise
        except DAMAGE as err:
            raise RawFileUnreadable(
                f"{self._name} is damaged, or not compressed as its ending says: {err}. Copy it "
                "again from where it came from."
            ) from err


def _known_encoding(declared: str, name: str) -> str:
    try:
        known = codecs.lookup(declared).name.removesuffix("-sig")
        line_end = "\n".encode(known)
    except LookupError as err:
        raise RawFileUnreadable(
            f"{name}: the declared encoding {declared!r} is not known. Use auto, utf-8, latin-1, "
            "or another name from Python's list of encodings."
        ) from err
    if line_end != b"\n":
        raise _wide_encoding(known.upper(), name)
    return known


def _wide_encoding(encoding: str, name: str) -> RawFileUnreadable:
    return RawFileUnreadable(
        f"{name} is written in {encoding}, which is not read line by line. Save it as UTF-8 (in "
        "Excel: CSV UTF-8)."
    )


def _is_rather_utf_8(sample: bytes) -> bool:
    """Whether accented letters are UTF-8, even where a few bytes are broken.

    Read as UTF-8, the letters of a Latin-1 file are broken nearly all.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        text = sample.decode("utf-8", errors="replace")
        accented = len(text) - len(text.encode("ascii", errors="ignore"))
        broken = text.count("\N{REPLACEMENT CHARACTER}")
        return accented - broken > broken
    return True


def _whole_lines(data: bytes) -> tuple[bytes, bytes]:
    """The data up to its last line end, and what follows it."""
    # a carriage return at the very end may be the first half of a line end
    cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
    return data[:cut], data[cut:]


def _lines_of(data: bytes) -> pa.Array:
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
    lines = pc.split_pattern(pa.array([text], pa.binary()), "\n").values
    return lines if data else lines[:0]


def _decoded_line(line: bytes, encoding: str) -> tuple[str, bool]:
    try:
        return line.decode(encoding), False
    except UnicodeDecodeError:
        return line.decode(encoding, errors="replace"), True
