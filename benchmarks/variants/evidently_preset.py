"""Evidently's preset for data drift with its defaults: a distance and a chart per column.

It needs older libraries than Clientela and runs in an environment of its own (`make
bench-evidently`), so this file and what it imports use nothing but pandas and Evidently.
"""

from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from drift_task import CATEGORIES, NUMBERS, WATCHED, written

KINDS = DataDefinition(numerical_columns=NUMBERS, categorical_columns=CATEGORIES)


def save(current: Path, baseline: Path, profile: Path, output: Path) -> None:  # noqa: ARG001
    """Scores the rows against those of the baseline.

    Args:
        current: The rows.
        baseline: The baseline's rows.
        profile: Not read.
        output: Where to write.
    """
    now, then = (
        Dataset.from_pandas(pd.read_parquet(place, columns=WATCHED), data_definition=KINDS)
        for place in (current, baseline)
    )
    report = Report([DataDriftPreset()]).run(current_data=now, reference_data=then)
    # before the columns' own metrics comes the number of those that drifted
    _, *found = report.dict()["metrics"]
    scores = [(of["config"]["column"], of["config"]["method"], of["value"]) for of in found]
    written(pd.DataFrame(scores, columns=["feature", "method", "score"]), output)
