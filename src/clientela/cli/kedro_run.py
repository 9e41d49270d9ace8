"""How often Python looks for objects that only refer to one another."""

import gc
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines

from clientela.exceptions import did_you_mean
from clientela.hooks import DRIFT_ALERTS, ENDED_BY, format_error_message
from clientela.use_cases import STAGES

# How often Python looks for objects that only refer to one another.
#
# Expressions and figures are made of very many small objects, nearly all of which live on. Python
# looks at all of them again after every few hundred new ones: a seventh of a run.


NEW_OBJECTS = 50_000
"""So many more are made than freed before Python looks; its own figure is some hundred."""


@contextmanager
def reduce_garbage_collection() -> Iterator[None]:
    """Inside, unreachable cycles are looked for a hundred times less often."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


# `kedro run` as Kedro has it, with errors that a person can act on instead of a traceback.


logger = logging.getLogger(__name__)

UNKNOWN_PIPELINE = re.compile(r"Failed to find the pipeline named '(?P<name>[^']+)'")
"""What Kedro raises, as a plain ValueError."""

MONITORING = "monitoring"
DRIFT = 3
"""Exit code of a run that was asked to monitor, and found something critical."""


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
        if DRIFT_ALERTS.raised and MONITORING in _list_requested_pipelines(**kwargs):
            raise click.exceptions.Exit(DRIFT)
        return done

    return wrapped


def _list_requested_pipelines(
    pipeline: str | None = None, pipelines: Sequence[str] | None = None, **_: Any
) -> list[str]:
    """The pipelines that a person asked for."""
    return [*([pipeline] if pipeline else []), *(pipelines or ())]


def _explain_unknown_pipeline(name: str) -> str:
    if name in STAGES:
        return (
            f"No use case that is switched on has the stage {name!r}. See use_cases.yml of the "
            "environment."
        )
    known = {*STAGES, *pipelines} - {"__default__"}
    return f"No pipeline is called {name!r}. {did_you_mean(name, known)}"


run = copy(kedro_run)
run.callback = _convert_errors(kedro_run.callback) if kedro_run.callback else None
cli.add_command(run)
