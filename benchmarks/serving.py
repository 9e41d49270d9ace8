"""Compares the API with the handler that most projects have, serving the same model.

`python benchmarks/serving.py` fits a model of simulated loans once, starts both servers, has each
answer the same requests in turns, and prints medians. Beside them stands what reasons cost.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

from serving_servers import HERE, OURS, PLAIN, Server, probabilities, running

TOLERANCE = 1e-5
WARM_UP_SECONDS = 1.0
FIGURES = ("requests_per_second", "p50_ms", "p99_ms", "cpu_ms")


@dataclass(frozen=True)
class Load:
    """One way to ask.

    Attributes:
        title: What the table calls it.
        body: File with the cases.
        rows: How many it has.
        connections: That ask at the same time.
        path: Of the request.
        promise: Least multiple of the plain server's requests per second; None: none is promised.
    """

    title: str
    body: str
    rows: int
    connections: int
    path: str = "/predict"
    promise: float | None = None


LOADS = (
    Load("1 row, one caller", "one.json", 1, 1, promise=10.0),
    Load("1 row, 8 callers", "one.json", 1, 8, promise=10.0),
    Load("1,000 rows, 2 callers", "many.json", 1000, 2, promise=2.5),
    Load("1 row with reasons, 8 callers", "one.json", 1, 8, "/predict?reasons=true"),
)

Measured = Mapping[tuple[Load, str], Mapping[str, float]]


def main(arguments: Sequence[str]) -> None:
    """Prints what each server answered.

    Args:
        arguments: The command line without the program's name.
    """
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load")
    parser.add_argument("--runs", type=int, default=3, help="of each load, besides one to warm up")
    parser.add_argument("--workers", type=int, default=1, help="processes of each server")
    parser.add_argument("--candidate", default="xgboost_regularizado", help="the model")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="clientela-serving-") as name:
        folder = Path(name)
        making = [HERE / "serving_model.py", name, given.candidate]
        subprocess.run([sys.executable, "-W", "ignore", *making], check=True)
        with (
            running(OURS, folder, given.workers) as ours,
            running(PLAIN, folder, given.workers) as plain,
        ):
            difference = largest_difference(folder, ours, plain)
            if difference > TOLERANCE:
                sys.exit(f"the servers differ by {difference:g}")
            servers = {OURS: ours, PLAIN: plain}
            measured = medians(asked(folder, servers, given.runs, given.seconds))
    console = Console(width=120)
    console.print(table(measured, given.workers))
    console.print(f"largest difference of a probability in 1,000 rows: {difference:.1g}")
    for sentence in promises(measured):
        console.print(sentence)


def asked(
    folder: Path, servers: Mapping[str, Server], runs: int, seconds: float
) -> Iterator[tuple[Load, str, Mapping[str, float]]]:
    """Every load on every server that can take it, in turns.

    Args:
        folder: Bodies.
        servers: By name.
        runs: How often, besides one to warm up.
        seconds: Of each load.

    Yields:
        Load, name of the server, and its figures; those of the warm-up left out.
    """
    turns = [
        (run, load, server)
        for run in range(runs + 1)
        for load in LOADS
        for server in servers
        if server == OURS or load.promise is not None
    ]
    for run, load, server in track(turns, "asking", console=Console(stderr=True)):
        asked_one = servers[server]
        port, place = str(asked_one.port), str(folder / load.body)
        span = str(seconds if run else WARM_UP_SECONDS)
        command = [HERE / "serving_load.py", port, load.path, place, str(load.connections), span]
        before = asked_one.cpu_seconds()
        done = subprocess.run([sys.executable, *command], check=True, capture_output=True)
        figures = json.loads(done.stdout)
        taken = asked_one.cpu_seconds() - before
        if run:
            yield load, server, {**figures, "cpu_ms": taken / figures["requests"] * 1000}


def medians(runs: Iterator[tuple[Load, str, Mapping[str, float]]]) -> Measured:
    """The median of each figure.

    Args:
        runs: See `asked`.

    Returns:
        Load and server to their figures.
    """
    found: dict[tuple[Load, str], list[Mapping[str, float]]] = defaultdict(list)
    for load, server, figures in runs:
        found[load, server].append(figures)
    return {
        which: {name: median(run[name] for run in each) for name in FIGURES}
        for which, each in found.items()
    }


def largest_difference(folder: Path, *servers: Server) -> float:
    """How far two servers are apart.

    Args:
        folder: Bodies.
        servers: Two.

    Returns:
        The largest difference of a probability.
    """
    body = (folder / "many.json").read_bytes()
    one, other = (probabilities(server.port, body) for server in servers)
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def table(measured: Measured, workers: int) -> Table:
    """One row per load and server.

    Args:
        measured: Medians.
        workers: Processes of each server.

    Returns:
        A table to print.
    """
    shown = Table(title=f"{workers} process(es) each; load and servers share the machine")
    shown.add_column("asked")
    shown.add_column("server")
    for name in ("requests/s", "rows/s", "p50 ms", "p99 ms", "CPU ms", "x plain"):
        shown.add_column(name, justify="right")
    for (load, server), figures in measured.items():
        speed = figures["requests_per_second"]
        shown.add_row(
            load.title,
            server,
            f"{speed:,.0f}",
            f"{speed * load.rows:,.0f}",
            f"{figures['p50_ms']:.2f}",
            f"{figures['p99_ms']:.2f}",
            f"{figures['cpu_ms']:.2f}",
            f"{_multiple(measured, load):.1f}x" if server == OURS and load.promise else "",
        )
    return shown


def promises(measured: Measured) -> Iterator[str]:
    """What the project promises, beside what was found.

    Args:
        measured: Medians.

    Yields:
        A sentence per promise.
    """
    for load in LOADS:
        if load.promise is not None:
            found = _multiple(measured, load)
            yield f"{load.title}: {found:.1f}x the plain handler (at least {load.promise:g})"


def _multiple(measured: Measured, load: Load) -> float:
    ours, plain = (measured[load, server]["requests_per_second"] for server in (OURS, PLAIN))
    return ours / plain


if __name__ == "__main__":
    main(sys.argv[1:])
