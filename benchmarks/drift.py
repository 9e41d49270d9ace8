"""Compares scoring drift against a stored profile with a bare read, with scipy, and with Evidently.

`python benchmarks/drift.py` draws a million rows of 50 columns once, runs every variant in turns,
and prints a table. Evidently takes part where `--variants` names it: it needs an environment of its
own, which `make bench-evidently` creates.
"""

import sys

from command import main
from drift_registry import DRIFT

if __name__ == "__main__":
    main(DRIFT, sys.argv[1:])
