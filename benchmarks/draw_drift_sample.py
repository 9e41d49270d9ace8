"""Draws what a monitoring run reads: a stored profile, current rows, and the baseline's rows.

Called as `draw_drift_sample.py <rows> <current> <baseline> <profile>`. Forty numbers (amounts,
counts, scores, amounts that are mostly zero; a tenth of the rows of every fourth lacks them) and
ten categories. The baseline's rows are for those variants that can't do without.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from clientela.pipelines.monitoring.profile import ProfileSettings, build_baseline_profile
from drift_task import BASELINE_ROWS, CATEGORIES, NUMBERS, SEED

ROWS_PER_CHUNK = 131_072
GAPS = 0.1
KINDS = 4
"""Kinds of number, in turns: amounts, counts, scores with gaps, amounts that are mostly 0."""

SCORES = 2
CITIES = [f"ciudad_{number:02d}" for number in range(12)]


def main(rows: int, current: Path, baseline: Path, profile: Path) -> None:
    """Writes the three files.

    Args:
        rows: How many current rows.
        current: Where they go.
        baseline: Where the baseline's rows go.
        profile: Where its profile goes.
    """
    write(current, rows, 1)
    write(baseline, min(rows, BASELINE_ROWS), 0)
    made = build_baseline_profile(pq.read_table(baseline), ProfileSettings(), use_case="benchmark")
    profile.write_text(made.model_dump_json(indent=1), encoding="utf-8")


def write(place: Path, rows: int, part: int) -> None:
    """Writes rows chunk by chunk.

    Args:
        place: Where.
        rows: How many.
        part: 0 for the baseline, 1 for the current rows.
    """
    starts = range(0, rows, ROWS_PER_CHUNK)
    with pq.ParquetWriter(place, drawn(0, 1, part).schema) as writer:
        for start in track(starts, place.stem, console=Console(stderr=True)):
            writer.write_table(drawn(start, min(rows, start + ROWS_PER_CHUNK), part))


def drawn(start: int, stop: int, part: int) -> pa.Table:
    """The watched columns of some rows; a tenth of those of the current rows drift.

    Args:
        start: Number of the first row.
        stop: Number after that of the last one.
        part: 0 for the baseline, 1 for the current rows.

    Returns:
        Fifty columns.
    """
    rng, count = np.random.default_rng([SEED, part, start]), stop - start
    columns = {}
    for place, name in enumerate(NUMBERS):
        values = (
            rng.lognormal(14 + (0.1 * part if place % 10 == 0 else 0), 0.8, count),
            rng.poisson(4, count).astype(np.float64),
            rng.normal(700, 80, count),
            rng.lognormal(8, 2, count) * (rng.random(count) < GAPS),
        )[place % KINDS]
        gaps = rng.random(count) < (GAPS if place % KINDS == SCORES else 0)
        columns[name] = pa.array(values, mask=gaps)
    for name in CATEGORIES:
        columns[name] = pa.array(np.asarray(CITIES)[rng.zipf(1.8, count) % len(CITIES)])
    return pa.table(columns)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(Path, sys.argv[2:]))
