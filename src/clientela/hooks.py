"""Hooks around every run: what is missing is named before it starts, what came of it at its end."""

import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from socket import gethostname
from typing import Any, cast

from fsspec.core import url_to_fs
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import InterpolationResolutionError

from clientela.exceptions import (
    ClientelaError,
    ConfigurationError,
    MissingStageInputError,
    did_you_mean,
)
from clientela.storage import (
    read_file_if_present,
    remove_abandoned_folders,
    try_lock,
    write_file_atomically,
)
from clientela.use_cases import STAGES

logger = logging.getLogger(__name__)

# Keys of globals.yml under which runs write.
ROOTS = (
    "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting",
)  # fmt: skip
LOCK, MADE_FROM = ".clientela.lock", ".made_from.json"
# One run of this process at a time; again by the same thread, after an interrupted one.
ONE_RUN = threading.RLock()
# Runners that let several threads or processes ask the one connection of the engine.
PARALLEL_RUNNERS = ("ThreadRunner", "ParallelRunner")
# Artefacts that a warning names before it counts.
NAMED = 5
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
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Checks that what earlier stages should have written exists, and each tag that was given.

        Raises:
            MissingStageInputError: An input that some stage writes is not there.
            ConfigurationError: A block of parameters, or a tag, is not there.
        """
        whole = sum((pipelines[stage] for stage in STAGES if stage in pipelines), Pipeline([]))
        made = whole.all_outputs()
        tags = {tag for node in whole.nodes for tag in node.tags}
        for tag in run_params.get("tags") or ():
            if tag not in tags:
                # Kedro takes one that fits beside one that does not without a word
                raise ConfigurationError(f"No node has the tag {tag!r}. {did_you_mean(tag, tags)}")
        blocks = [name for name in sorted(pipeline.inputs()) if name.startswith("params:")]
        absent = [name.removeprefix("params:") for name in blocks if not catalog.exists(name)]
        if absent:
            raise ConfigurationError(
                f"No parameters are given for {', '.join(absent)}. Write each block into "
                "conf/base/parameters/<use case>.yml; an empty one ({}) takes every default."
            )
        missing = [name for name in sorted(pipeline.inputs() & made) if not catalog.exists(name)]
        if missing:
            stages = _find_stages({*missing})
            raise MissingStageInputError(
                f"Not there yet: {', '.join(missing)}. Run first: "
                f"kedro run --pipelines={','.join(stages)}"
            )


class RunLock(threading.local):
    """Lets one run at a time write below a root: the second says who holds it, and waits.

    The lock is one of the system: it ends with the process, however that ends. An object store has
    none. The runs of one process, as those of `kedro server`, wait for one another too, because the
    engine's one connection serves one thread.
    """

    def __init__(self) -> None:
        self._roots: list[Path] = []
        self._locks: list[tuple[int, Path]] | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Learns where runs of this configuration write."""
        places = context.config_loader["globals"]
        local = [str(places[name]).removeprefix("file://") for name in ROOTS if name in places]
        parents = {(context.project_path / root).parent for root in local if "://" not in root}
        self._roots = sorted(parents)

    @hook_impl(hookwrapper=True, tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> Iterator[None]:
        """Waits for other runs, once it is sure that this one can run at all."""
        _require_sequential_runner(str(run_params.get("runner")))
        self._release()  # what an interrupted run of this thread left
        remove_abandoned_folders()
        ONE_RUN.acquire()
        self._locks = []
        for root in self._roots:
            with suppress(OSError, ImportError):
                self._locks.append(_lock_root(root, run_params))
        outcome: Any = yield
        if outcome.excinfo is not None:
            self._release()

    @hook_impl(hookwrapper=True)
    def after_pipeline_run(self) -> Iterator[None]:
        """Lets the next run begin."""
        yield
        self._release()

    @hook_impl(hookwrapper=True)
    def on_pipeline_error(self) -> Iterator[None]:
        """Lets the next run begin."""
        yield
        self._release()

    def _release(self) -> None:
        if self._locks is not None:
            for held, path in self._locks:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # a run that was refused leaves no new folder
                    path.parent.rmdir()
                os.close(held)
            self._locks = None
            ONE_RUN.release()


def _require_sequential_runner(runner: str) -> None:
    if any(name in runner for name in PARALLEL_RUNNERS):
        raise ConfigurationError(
            "This project runs with Kedro's SequentialRunner: the engine uses all cores by itself, "
            "and its one connection serves one thread. Leave out --runner."
        )


def _lock_root(root: Path, run_params: dict[str, Any]) -> tuple[int, Path]:
    root.mkdir(parents=True, exist_ok=True)
    path, told = root / LOCK, False
    while True:
        path.touch()
        with suppress(FileNotFoundError):  # whoever held it removed it just now
            held = try_lock(path)
            if held is None and not told:
                told = True
                logger.warning(
                    "Another run is writing below %s (%s). This one waits for its end.",
                    root, path.read_text("utf-8"),
                )  # fmt: skip
            held = try_lock(path, waits=True) if held is None else held
            if held and path.exists() and path.stat().st_ino == os.fstat(held).st_ino:
                break
            os.close(cast("int", held))
    names = ", ".join(run_params.get("pipeline_names") or ["all stages"])
    since = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    path.write_text(f"process {os.getpid()} on {gethostname()} since {since}: {names}", "utf-8")
    return held, path


class StaleArtefacts(threading.local):
    """Tells, before a run, which artefacts it reads are older than what they were made from.

    Of each artefact a file keeps by which parameters (as a digest) and from which raw tables it was
    made, over all stages before it.
    """

    def __init__(self) -> None:
        self._made_from: dict[str, dict[str, str]] = {}
        self._place = ""
        self._parameters: dict[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Learns where the file lies."""
        root = str(context.config_loader["globals"].get("intermediate", "data/02_intermediate"))
        self._parameters = context.config_loader["parameters"]
        self._place = root if "://" in root else (context.project_path / root).as_posix()

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Warns about what changed since."""
        self._made_from = {}
        with suppress(OSError):  # where nothing may be read the run itself says so
            kept_file = read_file_if_present(f"{self._place}/{MADE_FROM}")
            self._made_from = json.loads(kept_file or b"{}")
        kept = pipeline.inputs()
        if run_params.get("only_missing_outputs"):
            kept |= {name for name in pipeline.all_outputs() if catalog.exists(name)}
        stale, causes = [], set()
        for name in sorted(kept & self._made_from.keys()):
            changed = [
                source
                for source, digest in self._made_from[name].items()
                if (
                    _compute_digest(self._parameters, source) != digest
                    if digest
                    else _is_newer(catalog, source, name)
                )
            ]
            if changed:
                stale.append(name)
                causes.update(changed)
        if stale:
            more = f" and {len(stale) - NAMED} more" if len(stale) > NAMED else ""
            logger.warning(
                "Older than what was changed since (%s): %s%s. This run reads them as they are; to "
                "make them anew, run their stages first: kedro run --pipelines=%s",
                ", ".join(sorted(causes)), ", ".join(stale[:NAMED]), more,
                ",".join(_find_stages({*stale})),
            )  # fmt: skip

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Keeps what the outputs were made from."""
        sources: dict[str, str] = {}
        for name in node.inputs:
            if name.startswith("params:"):
                sources[name] = _compute_digest(self._parameters, name)
            elif type(catalog.get(name)).__name__ == "RawTableDataset":
                sources[name] = ""
            else:
                sources |= self._made_from.get(name, {})
        self._made_from |= dict.fromkeys(node.outputs, sources)
        if "://" not in self._place:
            self._write()

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Writes the file where each writing is a request."""
        self._write()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Writes the file for what was made before."""
        self._write()

    def _write(self) -> None:
        text = json.dumps(self._made_from, indent=0, sort_keys=True)
        with suppress(OSError):  # where nothing may be written the run itself says so
            write_file_atomically(f"{self._place}/{MADE_FROM}", text.encode(), ".writing")


def _compute_digest(parameters: Mapping[str, Any], name: str) -> str:
    """The digest of a block as it is written: what the run makes of it depends on its stages."""
    value: Any = parameters
    for key in name.removeprefix("params:").split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_newer(catalog: DataCatalog, raw: str, artefact: str) -> bool:
    if not (catalog.exists(raw) and catalog.exists(artefact)):
        return False
    changed, made = (_find_latest_change(catalog.get(name)) for name in (raw, artefact))
    return made is not None and changed is not None and changed > made


def _find_latest_change(dataset: Any) -> float | None:
    """When a file, or any of a folder or pattern, came to be as it is, in seconds."""
    fs, path = url_to_fs(_get_address(dataset))
    fs.invalidate_cache()
    found = [fs.info(file) for file in (fs.glob(path) if "*" in path else fs.find(path))]
    times = [
        max(info["mtime"], info["created"]) if "mtime" in info else info["LastModified"].timestamp()
        for info in found
        if "mtime" in info or "LastModified" in info
    ]
    return max(times, default=None)


def _find_stages(names: set[str]) -> list[str]:
    return [s for s in STAGES if s in pipelines and names & pipelines[s].all_outputs()]


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
    return _get_address(dataset).removeprefix("file://").removeprefix(f"{Path.cwd()}/")


def _get_address(dataset: Any) -> str:
    fields = dataset._describe()  # noqa: SLF001 - what Kedro itself shows of a dataset
    place = str(fields.get("filepath") or fields.get("path") or "")
    # Kedro's own datasets describe their path without its protocol
    protocol = getattr(dataset, "_protocol", "file")
    if "://" not in place and protocol != "file":
        return f"{protocol}://{place}"
    return place


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
