"""Clientela: batches are counted against the stored profile; the baseline's rows aren't needed."""

from pathlib import Path

import pyarrow.parquet as pq

from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import drift_table
from clientela.pipelines.monitoring.profile import BATCH_ROWS, DriftSettings, read_profile
from drift_task import WATCHED, written


def save(current: Path, baseline: Path, profile: Path, output: Path) -> None:  # noqa: ARG001
    """Scores the rows against the profile.

    Args:
        current: The rows.
        baseline: Not read.
        profile: The stored profile.
        output: Where to write.
    """
    stored = read_profile(profile.read_text(encoding="utf-8"))
    with pq.ParquetFile(current) as file:
        found = count_rows_by_cell(
            file.iter_batches(batch_size=BATCH_ROWS, columns=WATCHED), stored
        )
    written(drift_table(stored, found, DriftSettings()), output)
