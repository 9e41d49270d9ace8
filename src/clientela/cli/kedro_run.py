"""`kedro run` as Kedro has it, with errors that a person can act on instead of a traceback."""

import gc
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from omegaconf.errors import InterpolationResolutionError

from clientela.exceptions import ClientelaError, did_you_mean
from clientela.hooks import DRIFT_ALERTS, ENDED_BY, format_error_message
from clientela.use_cases import STAGES

logger = logging.getLogger(__name__)

# What Kedro raises, as a plain ValueError.
UNKNOWN_PIPELINE = re.compile(r"Failed to find the pipeline named '(?P<name>[^']+)'")

MONITORING = "monitoring"
# Exit code of a run that was asked to monitor, and found something critical.
DRIFT = 3

NO_BUCKET = "The variable BUCKET is not set. Put it before the command: BUCKET=<your bucket> …"

# A path of ours that is wrong; and a reader such as `head` that has seen enough.
NOT_OF_STORAGE = (FileNotFoundError, BrokenPipeError)

# Expressions and figures are made of very many small objects, nearly all of which live on. Python
# looks at all of them again after every few hundred new ones: a seventh of a run.
# So many more are made than freed before Python looks; its own figure is some hundred.
NEW_OBJECTS = 50_000


@contextmanager
def reduce_garbage_collection() -> Iterator[None]:
    """Sets the garbage collector's threshold so that long runs spend less time collecting."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@click.group(name="clientela")
def cli() -> None:
    """Commands of this project."""


def _convert_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command, failing with the message alone; the traceback goes to the log at DEBUG.

    Its exit code is 3 where monitoring was asked for by name and raised an alert: everything is
    written by then. A run of everything never fails because of drift.
    """

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            with reduce_garbage_collection():
                done = command(*args, **kwargs)
        except ENDED_BY as error:
            logger.debug("Traceback of the failed run", exc_info=error)
            raise click.ClickException(format_error_message(error)) from error
        except ValueError as error:
            unknown = UNKNOWN_PIPELINE.search(str(error))
            if unknown is None:
                raise
            raise click.ClickException(_explain_unknown_pipeline(unknown["name"])) from error
        requested = [kwargs.get("pipeline"), *(kwargs.get("pipelines") or ())]
        if DRIFT_ALERTS.raised and MONITORING in requested:
            raise click.exceptions.Exit(DRIFT)
        return done

    return wrapped


def _explain_unknown_pipeline(name: str) -> str:
    if name in STAGES:
        return (
            f"No use case that is switched on has the stage {name!r}. See use_cases.yml of the "
            "environment."
        )
    known = {*STAGES, *pipelines} - {"__default__"}
    return f"No pipeline is called {name!r}. {did_you_mean(name, known)}"


def get_user_message(error: Exception) -> str | None:
    """The message of an error that a person can act on.

    Returns:
        The message; None for an error that is nobody's but ours.
    """
    if isinstance(error, InterpolationResolutionError) and "BUCKET" in str(error):
        return NO_BUCKET
    if isinstance(error, ClientelaError | PermissionError | InterpolationResolutionError):
        return format_error_message(error)
    # nothing of ours is at fault; botocore, told by its name, may not be installed
    stored = isinstance(error, OSError) and not isinstance(error, NOT_OF_STORAGE)
    if stored or type(error).__module__ == "botocore.exceptions":
        return (
            f"Disk, store or network failed ({type(error).__name__}: {error}). What was done "
            "already is kept. Run the same command again."
        )
    return None


run = copy(kedro_run)
run.callback = _convert_errors(kedro_run.callback) if kedro_run.callback else None
cli.add_command(run)
