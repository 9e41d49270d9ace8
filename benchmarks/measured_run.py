"""Runs one variant in this process and prints what it took as JSON.

Called as `measured_run.py <variant> <input>... <output>`. A variant is a module with `save`, which
is measured from load to save, or with `loaded`, `found` and `written`, of which only `found` is.
Imports count towards memory, as they do in production, but not towards time.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

KIB = 1024
# macOS counts in bytes, Linux in KiB
MAXRSS_UNIT = 1 if sys.platform == "darwin" else KIB


def main(variant: str, *places: str) -> None:
    """Measures one run.

    Args:
        variant: Name of a module in `variants`.
        places: Its input files, then its output.
    """
    module = importlib.import_module(f"variants.{variant}")
    *inputs, output = map(Path, places)
    if not hasattr(module, "loaded"):
        print(json.dumps(taken(partial(module.save, *inputs, output))))
        return
    results: list[Any] = []
    before = module.loaded(*inputs)
    print(json.dumps(taken(lambda: results.append(module.found(before)))))
    module.written(results[0], output)


def taken(work: Callable[[], object]) -> dict[str, float]:
    """What some work took.

    Args:
        work: What is measured.

    Returns:
        `wall_seconds`, `cpu_seconds`, and `peak_mb` of the process so far.
    """
    cpu, wall = cpu_seconds(), time.perf_counter()
    work()
    return {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": cpu_seconds() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT / 1e6,
    }


def cpu_seconds() -> float:
    """CPU time of this process so far, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
