"""Compares Clientela's customer features with other ways to compute them.

`python benchmarks/features.py` draws 1 and 10 million transactions once, runs every variant in
turns, checks that equal questions got equal answers, and prints one table per size.
"""

import sys

from command import main
from registry import FEATURES

if __name__ == "__main__":
    main(FEATURES, sys.argv[1:])
