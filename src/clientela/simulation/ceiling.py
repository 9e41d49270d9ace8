"""How well anybody could do: the limit that the simulated noise sets to every model."""

import numpy as np

from clientela.simulation.seasonality import Floats


def expected_roc_auc(probability: Floats) -> float:
    """ROC-AUC that the true probabilities reach on average over the outcomes they allow.

    No score of the same columns ranks better (lemma of Neyman and Pearson). Each row counts as a
    positive with weight p and as a negative with weight 1 - p, so no outcome is drawn and the
    figure has no luck in it but that of the rows. A row is also compared with itself, as a tie,
    which costs less than 1/n.

    Args:
        probability: True probability of the event per row, given what a model can see.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - a second that reports only need

    return float(
        roc_auc_score(
            np.repeat([1, 0], len(probability)),
            np.tile(probability, 2),
            sample_weight=np.concatenate([probability, 1 - probability]),
        )
    )
