"""The task of the drift benchmark: which columns, and how the figures are written."""

from pathlib import Path

import pandas as pd

SEED = 42
BASELINE_ROWS = 200_000
NUMBERS = [f"numero_{place:02d}" for place in range(40)]
CATEGORIES = [f"categoria_{place:02d}" for place in range(10)]
WATCHED = [*NUMBERS, *CATEGORIES]


def written(table: pd.DataFrame, output: Path) -> None:
    """Writes one row per column, by name; what does not apply is -1, as NaN equals nothing.

    Args:
        table: `feature` and its figures.
        output: Where to write.
    """
    table.fillna(-1.0).sort_values("feature", ignore_index=True).to_parquet(output)
