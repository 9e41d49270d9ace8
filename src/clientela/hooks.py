"""Hooks around every run: what is missing is named before it starts, what came of it at its end."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import InterpolationResolutionError

from clientela.exceptions import ClientelaError, ConfigurationError, MissingStageInputError
from clientela.use_cases import STAGES

HEADLINE = "headline"
DRIFT_STATE = "drift_state"
# What ends a run without being a fault of the program: shown as a message, not as a traceback.
ENDED_BY = (ClientelaError, DatasetError, ParameterValidationError, InterpolationResolutionError)


def format_error_message(error: BaseException) -> str:
    """The message a person can act on: our own error's where there is one in the chain.

    Returns:
        The message, with the dataset where Kedro named it and what to check where access failed.
    """
    if isinstance(error, InterpolationResolutionError) and "BUCKET" in str(error):
        return "The variable BUCKET is not set: BUCKET=<your bucket> kedro run --env=aws"
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ClientelaError | PermissionError):
        cause = cause.__cause__
    if isinstance(cause, ClientelaError):
        return str(cause)
    if isinstance(cause, PermissionError):
        return (
            f"{error}\nAccess was denied. Check AWS_PROFILE or the AWS_* variables, the variable "
            "BUCKET, and that the role may list, read and write this bucket (or, for local "
            "folders, the folder's permissions)."
        )
    return str(error)


class StageInputCheck:
    """Names the command that makes a missing input, before anything runs."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Checks that what earlier stages should have written exists.

        Raises:
            MissingStageInputError: An input that some stage writes is not there.
            ConfigurationError: A block of parameters is not there.
        """
        makers = {
            name: stage
            for stage in STAGES
            if stage in pipelines
            for name in pipelines[stage].all_outputs()
        }
        blocks = [name for name in sorted(pipeline.inputs()) if name.startswith("params:")]
        absent = [name.removeprefix("params:") for name in blocks if not catalog.exists(name)]
        if absent:
            raise ConfigurationError(
                f"No parameters are given for {', '.join(absent)}. Write each block into "
                "conf/base/parameters/<use case>.yml; an empty one ({}) takes every default."
            )
        missing = [
            name for name in sorted(pipeline.inputs() & makers.keys()) if not catalog.exists(name)
        ]
        if missing:
            needed = {makers[name] for name in missing}
            stages = [stage for stage in STAGES if stage in needed]
            raise MissingStageInputError(
                f"Not there yet: {', '.join(missing)}. Run first: "
                f"kedro run --pipelines={','.join(stages)}"
            )


class RunSummary:
    """Ends every run with a short table of what was produced, and the headline numbers.

    A dataset is listed when its catalog entry says `metadata: {clientela: {summary: <words>}}`; the
    datasets whose name ends in `headline` give the sentences below the table.
    """

    def __init__(self) -> None:
        self._saved: list[str] = []

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forgets an earlier run of the same process."""
        self._saved.clear()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Remembers what was written."""
        self._saved.append(dataset_name)

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Prints the table and the headlines."""
        rows = [
            (words, _get_location(dataset))
            for name in self._saved
            if (dataset := catalog.get(name)) is not None
            and (words := _get_summary(dataset)) is not None
        ]
        headlines = [catalog.load(name) for name in self._saved if name.endswith(HEADLINE)]
        if rows or headlines:
            _print_summary(rows, headlines)


class DriftAlerts:
    """Remembers which use cases a run raised an alert for, so that its exit code can say so.

    An alert about a simulated period shows what one looks like; it stops no schedule.
    """

    def __init__(self) -> None:
        self.raised: list[str] = []

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forgets an earlier run of the same process."""
        self.raised.clear()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Reads the state of a model as it is written."""
        use_case, _, name = dataset_name.partition(".")
        if name == DRIFT_STATE and data["alert"] and not data["current"]["simulated"]:
            self.raised.append(use_case)


# The one that settings register and the command line asks.
DRIFT_ALERTS = DriftAlerts()


def _get_summary(dataset: Any) -> str | None:
    metadata = getattr(dataset, "metadata", None) or {}
    words = metadata.get("clientela", {}).get("summary")
    return None if words is None else str(words)


def _get_location(dataset: Any) -> str:
    from pathlib import Path  # noqa: PLC0415 - only where a table is shown

    fields = dataset._describe()  # noqa: SLF001 - what Kedro itself shows of a dataset
    place = str(fields.get("filepath") or fields.get("path") or "")
    # Kedro's own datasets describe their path without its protocol
    protocol = getattr(dataset, "_protocol", "file")
    if "://" not in place and protocol != "file":
        return f"{protocol}://{place}"
    return place.removeprefix("file://").removeprefix(f"{Path.cwd()}/")


def _print_summary(rows: list[tuple[str, str]], headlines: list[dict[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only where a table is shown
    from rich.table import Table  # noqa: PLC0415

    console = Console(soft_wrap=True)
    if rows:
        # a path that breaks in two can't be copied
        needed = max(len(words) + len(place) for words, place in rows) + 5
        console.width = max(console.width, needed)
        table = Table(title="Produced", title_justify="left", show_edge=False, pad_edge=False)
        table.add_column("what")
        table.add_column("where", no_wrap=True)
        for words, place in rows:
            table.add_row(words, place)
        console.print(table)
    for headline in headlines:
        console.print(f"\n{headline['sentence']}", markup=False, highlight=False)
