"""Every way to score current rows against a baseline that is compared, and a bare read."""

from functools import partial
from pathlib import Path

from sample import Sample
from variant import Benchmark, Promise, Variant

READ, OURS, SCIPY, PRESET = "bare_read", "clientela_drift", "scipy_drift", "evidently_preset"
EVIDENTLY = Path(__file__).parents[1] / ".venv-evidently/bin/python"

drift_sample = partial(
    Sample,
    script="draw_drift_sample.py",
    files=(
        "drift-current-{rows}.parquet",
        "drift-baseline-{rows}.parquet",
        "drift-profile-{rows}.json",
    ),
)

DRIFT = Benchmark(
    description="Compares scoring drift with one read of the columns, scipy, and Evidently.",
    unit="rows x 50 columns",
    base="read",
    sizes=(1_000_000,),
    sample=drift_sample,
    variants=(
        Variant(READ, "bare Parquet read", answer="rows", against=READ),
        Variant(OURS, "Clientela, from a stored profile", answer="ours", against=READ),
        Variant(SCIPY, "scipy, column by column", answer="scipy", against=READ, once=True),
        Variant(
            PRESET,
            "Evidently, preset for data drift",
            answer="evidently",
            against=READ,
            once=True,
            interpreter=EVIDENTLY,
        ),
    ),
    promises=(
        Promise(OURS, READ, "drift over a bare read: {} (at most 1.5)"),
        Promise(SCIPY, OURS, "scipy over drift: {} (at least 10)"),
        Promise(PRESET, OURS, "evidently over drift: {} (at least 100)"),
    ),
)
