"""Compares fitting and assigning segments with bare scikit-learn on the same matrix.

`python benchmarks/segments.py` draws a million customers of 14 rubros once, runs every variant in
turns, checks that each pair placed everybody alike, and prints a table.
"""

import sys

from command import main
from segment_registry import SEGMENTS

if __name__ == "__main__":
    main(SEGMENTS, sys.argv[1:])
