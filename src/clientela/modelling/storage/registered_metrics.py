"""What a registry shows beside a model: its measures on the test part."""

from typing import Any, Final

import numpy as np
import pandas as pd

from clientela.modelling.problem import TASKS
from clientela.modelling.selection.test_part import answers_of
from clientela.modelling.storage.stored_model import StoredModel

REPLICATES: Final = 1000
"""Bootstrap samples behind the standard deviations: as many as training takes by default."""


def registered_metrics(predictions: pd.DataFrame, name: str, model: StoredModel) -> dict[str, Any]:
    """The measures of a model in the form that the SageMaker console draws.

    Args:
        predictions: See `clientela.modelling.selection.test_part.holdout_predictions`.
        name: Of the model among them.
        model: The model.

    Returns:
        See `clientela.modelling.storage.console_metrics` and `binary_console_metrics`.
    """
    manifest = model.manifest
    truth, said = answers_of(predictions, name, manifest["classes"])
    return TASKS[manifest["task"]].console_metrics(
        truth,
        said,
        np.asarray(manifest["values"], dtype=np.float64),
        replicates=REPLICATES,
        seed=manifest["seed"],
    )
