"""Runs the variants of one size in turns, each in a fresh process, and takes medians.

In turns, because a machine's mood lasts longer than one run: what disturbs one variant then
disturbs all.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from child_process import child
from sample import Sample
from variant import Variant


@dataclass(frozen=True)
class Measured:
    """What a variant took.

    Attributes:
        wall_seconds: Of what `measured_run` measures, imports excluded.
        cpu_seconds: Of all threads, over the same span.
        peak_mb: Resident memory of the whole process at its highest, imports included.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


Run = tuple[Variant, Measured]


def run_count(variants: Sequence[Variant], runs: int) -> int:
    """How many processes `interleaved_runs` will start, for a progress bar.

    Args:
        variants: What runs.
        runs: How often each is measured.

    Returns:
        The warm-up included.
    """
    return sum(1 if variant.once else runs + 1 for variant in variants)


def interleaved_runs(
    sample: Sample, variants: Sequence[Variant], runs: int, outputs: Path
) -> Iterator[Run]:
    """Runs each variant once, compares the results, then runs them in turns.

    Args:
        sample: The files to read.
        variants: What runs.
        runs: How often each is measured.
        outputs: Folder for the results.

    Yields:
        A variant and what one run took; the first run of each is its warm-up, unless it is `once`.

    Raises:
        ChildFailed: A variant broke, or its result differs from another's.
    """
    agreed: dict[str, str] = {}
    for variant in variants:
        yield variant, _run(sample, variant, outputs)
        first = agreed.setdefault(variant.answer, variant.name)
        child("agreement.py", str(outputs / first), str(outputs / variant.name))
    for _ in range(runs):
        for variant in variants:
            if not variant.once:
                yield variant, _run(sample, variant, outputs)


def medians(runs: Sequence[Run]) -> dict[Variant, Measured]:
    """The median of each figure per variant, warm-ups left out.

    Args:
        runs: In the order in which they ran.

    Returns:
        One entry per variant.
    """
    of_variant: dict[Variant, list[Measured]] = defaultdict(list)
    for variant, measured in runs:
        of_variant[variant].append(measured)
    return {
        variant: _median(all_runs if variant.once else all_runs[1:])
        for variant, all_runs in of_variant.items()
    }


def _median(runs: Sequence[Measured]) -> Measured:
    return Measured(
        wall_seconds=median(run.wall_seconds for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_mb=median(run.peak_mb for run in runs),
    )


def _run(sample: Sample, variant: Variant, outputs: Path) -> Measured:
    output = outputs / variant.name
    shutil.rmtree(output) if output.is_dir() else output.unlink(missing_ok=True)
    places = (*map(str, sample.places), str(output))
    taken = child("measured_run.py", variant.name, *places, interpreter=variant.interpreter)
    return Measured(**json.loads(taken))
