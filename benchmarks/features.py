"""Compares Clientela's customer features with other ways to compute them.

`python benchmarks/features.py` draws 1 and 10 million transactions once, runs every variant in
turns, checks that equal questions got equal answers, and prints one table per size.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from child_process import ChildFailed
from interleaved_runs import interleaved_runs, medians, run_count
from registry import VARIANTS
from sample import Sample
from side_by_side import side_by_side

NAMES = [variant.name for variant in VARIANTS]
FOLDER = Path(tempfile.gettempdir()) / "clientela-benchmark"


def asked(arguments: list[str]) -> argparse.Namespace:
    """What the command line asks for.

    Args:
        arguments: Without the program's name.

    Returns:
        `rows`, `runs`, `variants` and `folder`.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each, besides one")
    parser.add_argument("--variants", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the samples are kept")
    return parser.parse_args(arguments)


def compared(sample: Sample, names: list[str], runs: int) -> Table:
    """What every variant took on one size.

    Args:
        sample: The tables to read.
        names: Which variants.
        runs: How often each is measured.

    Returns:
        A table to print.
    """
    variants = [
        variant
        for variant in VARIANTS
        if variant.name in names and sample.rows <= (variant.most_rows or sample.rows)
    ]
    with tempfile.TemporaryDirectory(dir=sample.folder) as outputs:
        taken = track(
            interleaved_runs(sample, variants, runs, Path(outputs)),
            f"{sample.rows:,} transactions",
            total=run_count(variants, runs),
            console=Console(stderr=True),
        )
        measured = medians(list(taken))
    return side_by_side(f"{sample.rows:,} transactions, medians of {runs} runs", measured)


def main(arguments: list[str]) -> None:
    """Prints one table per size.

    Args:
        arguments: The command line without the program's name.
    """
    options = asked(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    for rows in options.rows:
        sample = Sample(options.folder, rows).drawn()
        Console().print(compared(sample, options.variants, options.runs))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ChildFailed as failure:
        sys.exit(str(failure))
