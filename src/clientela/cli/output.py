"""What a person reads instead of a traceback."""

from collections.abc import Iterable, Sequence

from omegaconf.errors import InterpolationResolutionError
from rich.table import Table

from clientela.exceptions import ClientelaError
from clientela.hooks import format_error_message

# What a person reads instead of a traceback.


NO_BUCKET = "The variable BUCKET is not set. Put it before the command: BUCKET=<your bucket> …"

NOT_OF_STORAGE = (FileNotFoundError, BrokenPipeError)
"""A path of ours that is wrong; and a reader such as `head` that has seen enough."""


def get_user_message(error: Exception) -> str | None:
    """The message of an error that a person can act on.

    Returns:
        The message; None for an error that is nobody's but ours.
    """
    if isinstance(error, InterpolationResolutionError) and "BUCKET" in str(error):
        return NO_BUCKET
    if isinstance(error, ClientelaError | PermissionError | InterpolationResolutionError):
        return format_error_message(error)
    if _is_storage_error(error):
        return (
            f"Disk, store or network failed ({type(error).__name__}: {error}). What was done "
            "already is kept. Run the same command again."
        )
    return None


def _is_storage_error(error: Exception) -> bool:
    """Whether nothing of ours is at fault; botocore, told by its name, may not be installed."""
    stored = isinstance(error, OSError) and not isinstance(error, NOT_OF_STORAGE)
    return stored or type(error).__module__ == "botocore.exceptions"


# Tables in a terminal of any width: a name that does not fit goes on below, and nothing is cut.


def make_full_text_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], folding: Iterable[str]
) -> Table:
    """A table whose every character is shown.

    Args:
        folding: Columns that may be folded where the terminal is narrow; the others keep the width
            of their content.
    """
    rows, folding = list(rows), set(folding)
    table = Table(show_edge=False, pad_edge=False)
    for name, *cells in zip(columns, *rows, strict=True):
        whole = None if name in folding else max(map(len, (name, *cells)))
        table.add_column(name, overflow="fold", min_width=whole)
    for row in rows:
        table.add_row(*row)
    return table
