"""A class weight that follows from the rows: as many times as the other class is commoner.

XGBoost takes a number (`scale_pos_weight`). Typed into configuration, it would be that of other
rows; here the word `balanced` stands for it until a model learns.
"""

from typing import Any, Final

import numpy as np
from sklearn.base import clone

from clientela.classification.codes import Codes

BALANCED: Final = "balanced"
WEIGHT: Final = "scale_pos_weight"


def balanced(classifier: Any, codes: Codes) -> Any:
    """The classifier with every `scale_pos_weight: balanced` as rows of class 0 by those of 1.

    Args:
        classifier: Unfitted, maybe a pipeline.
        codes: 0 or 1 of the rows that it will learn from, both of which occur.

    Returns:
        An unfitted copy; it keeps the number, so that whoever reads the model sees it.
    """
    negative, positive = np.bincount(codes, minlength=2).tolist()
    asked = {
        name: negative / positive
        for name, value in classifier.get_params().items()
        if name.rpartition("__")[2] == WEIGHT and value == BALANCED
    }
    return clone(classifier).set_params(**asked)
