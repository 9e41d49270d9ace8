"""How clearly each customer belongs to their segment: a Gaussian mixture beside the hard segments.

The mixture begins at the hard segments, component by component, so that its probabilities can be
read as those of the segments, and takes one round of expectation and maximisation from there. More
rounds fit the data better and leave the segments behind: at rest the most probable component was
the hard segment for 67 % of the customers of the sample, after one round for 89 %. Where the two
disagree the report says how often.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from clientela.segments.params import ClusteringParams

UNCLEAR = 0.6
"""Highest probability below which a customer stands between segments."""

NARROWEST = 0.1
"""Least variance of a component, of the 1 that a standardised column has. Rubros where most
customers spend nothing would else become components without width, and every probability 1."""


ROUNDS = 1
"""Of expectation and maximisation."""


def fitted_mixture(
    scaled: np.ndarray, centers: np.ndarray, params: ClusteringParams
) -> GaussianMixture:
    """A Gaussian mixture whose component `i` began as cluster `i`.

    Args:
        scaled: Active customers x columns, standardised; at most `evaluation_rows` are drawn.
        centers: Clusters x columns on the same scale.
        params: Rows, rounds, seed.

    Returns:
        The mixture, with one covariance for all components: with one each, they drift away from
        the segments and are too sure of themselves.
    """
    rows = scaled
    if len(scaled) > params.evaluation_rows:
        drawn = np.random.default_rng(params.seed).choice(
            len(scaled), params.evaluation_rows, replace=False
        )
        rows = scaled[np.sort(drawn)]
    weights, covariance = _begin(rows, centers)
    mixture = GaussianMixture(
        len(centers),
        covariance_type="tied",
        reg_covar=NARROWEST,
        max_iter=ROUNDS,
        random_state=params.seed,
        weights_init=weights,
        means_init=centers,
        precisions_init=np.linalg.inv(covariance),
    )
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        # one round does not come to rest, and shall not
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(rows)


def probabilities(mixture: GaussianMixture, scaled: np.ndarray, ids: Sequence[int]) -> pd.DataFrame:
    """One row per customer: the probability of each segment.

    Args:
        mixture: A fitted mixture.
        scaled: Customers x columns, standardised as for the fit.
        ids: The segment of each component.

    Returns:
        `prob_<id>` (float64, 0..1), by id; each row adds up to 1.
    """
    columns = [f"prob_{segment}" for segment in ids]
    with threadpool_limits(limits=1):
        values = mixture.predict_proba(scaled) if len(scaled) else np.empty((0, len(ids)))
    order = np.argsort(ids)
    return pd.DataFrame(values[:, order], columns=[columns[place] for place in order])


def membership(
    mixture: GaussianMixture, scaled: np.ndarray, labels: np.ndarray, ids: Sequence[int]
) -> dict[str, Any]:
    """How clear-cut the hard segments are, as the mixture sees them.

    Args:
        mixture: A fitted mixture.
        scaled: Active customers x columns, standardised as for the fit.
        labels: Position of each customer's hard segment in `ids`.
        ids: The segment of each component.

    Returns:
        `agreement`: share of customers whose most probable component is their hard segment;
        `mean_highest`: mean of their highest probability; `unclear_share`: share whose highest one
        is below .6; `segments`: per id, sorted, `cluster_id, customers` and the three
        figures, missing (None) where a segment has no customer.
    """
    chances = probabilities(mixture, scaled, ids).to_numpy()
    own = np.asarray(ids)[labels]
    customers = pd.DataFrame(
        {
            "agreement": np.sort(ids)[chances.argmax(axis=1)] == own,
            "mean_highest": chances.max(axis=1),
            "unclear_share": chances.max(axis=1) < UNCLEAR,
        }
    )
    return {
        **_means(customers),
        "segments": [
            {"cluster_id": int(segment), "customers": int((own == segment).sum())}
            | _means(customers[own == segment])
            for segment in np.sort(ids)
        ],
    }


def _begin(rows: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the hard clusters, and how customers spread around their centre."""
    labels = pairwise_distances_argmin(rows, centers)
    # one customer more each, so that a cluster absent from the draw has a weight
    sizes = 1 + np.bincount(labels, minlength=len(centers))
    apart = rows - centers[labels]
    covariance = apart.T @ apart / max(len(rows), 1)
    return sizes / sizes.sum(), covariance + NARROWEST * np.eye(rows.shape[1])


def _means(customers: pd.DataFrame) -> dict[str, float | None]:
    return {
        str(name): None if customers.empty else float(values.mean())
        for name, values in customers.items()
    }
