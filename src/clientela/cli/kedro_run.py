"""`kedro run` as Kedro has it, with errors that a person can act on instead of a traceback."""

import ast
import gc
import logging
import re
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Any

import click
import kedro.runner
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from kedro.utils import load_obj
from omegaconf.errors import InterpolationResolutionError

from clientela.config_loader import list_environments
from clientela.exceptions import ClientelaError, did_you_mean
from clientela.hooks import DRIFT_ALERTS, ENDED_BY, format_error_message
from clientela.use_cases import STAGES

logger = logging.getLogger(__name__)

# What Kedro raises, as a plain ValueError.
UNKNOWN_PIPELINE = re.compile(r"Failed to find the pipeline named '(?P<name>[^']+)'")
UNKNOWN_PART = re.compile(
    r"does not contain (?:nodes with the following )?(?P<kind>node|dataset|namespace)s"
    r"(?: named|:) (?P<names>\[.*?\])"
)
NOTHING_LEFT = "Pipeline contains no nodes after applying all provided filters"
UNKNOWN_ENVIRONMENT = re.compile(r"Given configuration path .*: (?P<folder>\S.*)")

# Characters of a list that a person still reads.
READABLE = 600

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
        _require_known_runner(kwargs.get("runner"))
        # so that what is to be removed at the end is removed then too
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        # Kedro advises --async before each run; here loads and saves wait for one another
        logging.getLogger("kedro.runner.sequential_runner").addFilter(_is_no_advice)
        try:
            with reduce_garbage_collection():
                done = command(*args, **kwargs)
        except ENDED_BY as error:
            logger.debug("Traceback of the failed run", exc_info=error)
            raise click.ClickException(format_error_message(error)) from error
        except (ValueError, MissingConfigException) as error:
            explained = _explain_typo(str(error), kwargs)
            if explained is None:
                raise
            raise click.ClickException(explained) from error
        requested = [kwargs.get("pipeline"), *(kwargs.get("pipelines") or ())]
        if DRIFT_ALERTS.raised and MONITORING in requested:
            raise click.exceptions.Exit(DRIFT)
        return done

    return wrapped


def _is_no_advice(record: logging.LogRecord) -> bool:
    return "--async" not in record.getMessage()


def _require_known_runner(runner: str | None) -> None:
    try:
        load_obj(runner or "SequentialRunner", "kedro.runner")
    except (AttributeError, ImportError) as err:
        hint = did_you_mean(str(runner), kedro.runner.__all__)
        raise click.ClickException(f"No runner is called {runner!r}. {hint}") from err


def _explain_typo(message: str, options: Mapping[str, Any]) -> str | None:
    """What exists in place of a name that Kedro did not find; None where it is something else."""
    if (found := UNKNOWN_PIPELINE.search(message)) is not None:
        return _explain_unknown_pipeline(found["name"])
    if (found := UNKNOWN_ENVIRONMENT.search(message)) is not None:
        folder = Path(found["folder"])
        source = Path(options.get("conf_source") or folder.parent)
        known = set(list_environments(source) or ())
        return f"{source} has no environment {folder.name!r}. {_hint(folder.name, known)}"
    names = options.get("pipelines") or [options.get("pipeline") or "__default__"]
    whole = sum((pipelines[name] for name in names), start=Pipeline([]))
    if (found := UNKNOWN_PART.search(message)) is not None:
        spaces = {node.namespace for node in whole.nodes if node.namespace}
        parents = {space.partition(".")[0] for space in spaces}
        known = {
            "node": {node.name for node in whole.nodes},
            "dataset": whole.datasets(),
            "namespace": spaces | parents,
        }[found["kind"]]
        missing = sorted(set(ast.literal_eval(found["names"])) - known)
        hints = "; ".join(f"{name!r}: {_hint(name, known)}" for name in missing)
        return f"No {found['kind']} of this run is called {hints}"
    if NOTHING_LEFT not in message:
        return None
    tags = {tag for node in whole.nodes for tag in node.tags}
    unknown = sorted({*(options.get("tags") or ())} - tags)
    if unknown:
        return f"No node of this run has the tag {unknown[0]!r}. {_hint(unknown[0], tags)}"
    return (
        f"No node of {', '.join(names)} fits all options at once. Leave out some of --tags, "
        "--namespaces, --nodes, --from-… and --to-…"
    )


def _hint(wrong: str, known: Collection[str]) -> str:
    hint = did_you_mean(wrong, known)
    if len(hint) <= READABLE:
        return hint
    return f"None of the {len(known)} names is near; `kedro registry describe` lists the nodes."


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
