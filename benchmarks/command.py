"""The command of a benchmark: draws its samples, runs its variants, prints a table per size."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from child_process import ChildFailed
from interleaved_runs import interleaved_runs, medians, run_count
from sample import Sample
from side_by_side import side_by_side
from variant import Benchmark

FOLDER = Path(tempfile.gettempdir()) / "clientela-benchmark"


def main(benchmark: Benchmark, arguments: Sequence[str]) -> None:
    """Prints one table per size; ends with an error where a variant breaks or differs.

    Args:
        benchmark: What is compared.
        arguments: The command line without the program's name.
    """
    options = asked(benchmark, arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        for rows in options.rows:
            sample = benchmark.sample(options.folder, rows).drawn()
            Console().print(compared(benchmark, sample, options.variants, options.runs))
    except ChildFailed as failure:
        sys.exit(str(failure))


def asked(benchmark: Benchmark, arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for.

    Args:
        benchmark: What is compared.
        arguments: Without the program's name.

    Returns:
        `rows`, `runs`, `variants` and `folder`.

    Raises:
        SystemExit: It is not understood, or names a variant whose environment does not exist.
    """
    names = [variant.name for variant in benchmark.variants]
    usual = [variant.name for variant in benchmark.variants if variant.interpreter is None]
    parser = argparse.ArgumentParser(description=benchmark.description)
    parser.add_argument("--rows", type=int, nargs="+", default=list(benchmark.sizes))
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each, besides one")
    parser.add_argument("--variants", nargs="+", choices=names, default=usual)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the samples are kept")
    options = parser.parse_args(arguments)
    if absent := _absent(benchmark, options.variants):
        parser.error(
            f"{', '.join(absent)} would run in an environment of its own, which does not exist; "
            "its make target creates it: see `make help`."
        )
    return options


def compared(benchmark: Benchmark, sample: Sample, names: Sequence[str], runs: int) -> Table:
    """What every variant took on one size.

    Args:
        benchmark: What is compared.
        sample: The files to read.
        names: Which variants.
        runs: How often each is measured.

    Returns:
        A table to print.
    """
    variants = [
        variant
        for variant in benchmark.variants
        if variant.name in names and sample.rows <= (variant.most_rows or sample.rows)
    ]
    size = f"{sample.rows:,} {benchmark.unit}"
    with tempfile.TemporaryDirectory(dir=sample.folder) as outputs:
        taken = track(
            interleaved_runs(sample, variants, runs, Path(outputs)),
            size,
            total=run_count(variants, runs),
            console=Console(stderr=True),
        )
        measured = medians(list(taken))
    return side_by_side(f"{size}, medians of {runs} runs", measured, benchmark)


def _absent(benchmark: Benchmark, names: Sequence[str]) -> list[str]:
    """The variants whose environment nobody has created."""
    return [
        variant.name
        for variant in benchmark.variants
        if variant.name in names and variant.interpreter and not variant.interpreter.exists()
    ]
