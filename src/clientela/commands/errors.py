"""What a person reads instead of a traceback."""

from omegaconf.errors import InterpolationResolutionError

from clientela.cli import readable
from clientela.exceptions import ClientelaError

NO_BUCKET = "The variable BUCKET is not set. Put it before the command: BUCKET=<your bucket> …"

NOT_OF_STORAGE = (FileNotFoundError, BrokenPipeError)
"""A path of ours that is wrong; and a reader such as `head` that has seen enough."""


def message_of(error: Exception) -> str | None:
    """The message of an error that a person can act on.

    Args:
        error: What was raised.

    Returns:
        The message; None for an error that is nobody's but ours.
    """
    if isinstance(error, InterpolationResolutionError) and "BUCKET" in str(error):
        return NO_BUCKET
    if isinstance(error, ClientelaError | PermissionError | InterpolationResolutionError):
        return readable(error)
    if _is_of_storage(error):
        return (
            f"Disk, store or network failed ({type(error).__name__}: {error}). What was done "
            "already is kept. Run the same command again."
        )
    return None


def _is_of_storage(error: Exception) -> bool:
    """Whether nothing of ours is at fault; botocore, told by its name, may not be installed."""
    stored = isinstance(error, OSError) and not isinstance(error, NOT_OF_STORAGE)
    return stored or type(error).__module__ == "botocore.exceptions"
