"""Runs one variant in this process and prints what it took as JSON.

Called as `measured_run.py <variant> <transactions> <customers> <output>`. Imports count towards
memory, as they do in production, but not towards time.
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path

KIB = 1024
# macOS counts in bytes, Linux in KiB
MAXRSS_UNIT = 1 if sys.platform == "darwin" else KIB


def cpu_seconds() -> float:
    """CPU time of this process so far, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(variant: str, *places: str) -> None:
    """Measures one run from load to save.

    Args:
        variant: Name of a module in `variants`.
        places: Transactions, customers, output.
    """
    save = importlib.import_module(f"variants.{variant}").save
    cpu, wall = cpu_seconds(), time.perf_counter()
    save(*map(Path, places))
    measured = {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": cpu_seconds() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT / 1e6,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
