"""How each number of segments groups the customers, beside what chance alone would give.

K-Means always returns as many segments as it is asked for. Three figures say what they are worth:
the silhouette, the same in data where nothing belongs together, and whether other customers of the
same population would have led to the same segments.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.modelling.selection.threads import in_threads
from clientela.progress import with_progress
from clientela.segments.params import ClusteringParams

ROWS, SAMPLE, NULL, RESAMPLE = range(4)
"""Random streams, apart: more draws of one kind change no draw of another."""

ALL_CORES = -1
"""Each fit takes one thread, so the number of cores changes the time and nothing else."""


class Grouping(NamedTuple):
    """Customers in clusters.

    Attributes:
        k: Clusters asked for.
        labels: Position of each customer's cluster.
        inertia: Sum of squared distances to the centres, on the standardised scale.
    """

    k: int
    labels: np.ndarray
    inertia: float


def k_evaluation(matrix: np.ndarray, params: ClusteringParams) -> pd.DataFrame:
    """One row per number of segments: how tight, how far apart, how repeatable.

    Args:
        matrix: Active customers x columns, not scaled; at most `evaluation_rows` are drawn.
        params: Candidates (a fixed `k` is one too), draws, seed.

    Returns:
        `k`; `inertia` of standardised columns; `silhouette` (Rousseeuw 1987); `null_silhouette` and
        `null_sd`: its mean and standard deviation where each column is permuted by itself, missing
        where fewer than two columns vary, as nothing can belong together there; `stability` and
        `stability_sd`: mean and standard deviation of the adjusted Rand index (Hubert & Arabie
        1985) between these clusters and those of bootstrap resamples (Hennig 2007);
        `smallest_share` of the customers. Numbers above that of different customers are left out.

    Raises:
        TrainingDataError: There are too few different customers for the smallest candidate.
    """
    rows = matrix[_drawn(len(matrix), params.evaluation_rows, params.seed, ROWS)]
    with warnings.catch_warnings():
        # fewer clusters than asked for: such a k is left out, and in a draw it does no harm
        warnings.simplefilter("ignore", ConvergenceWarning)
        groupings = _groupings(rows, params)
        if not groupings:
            raise TrainingDataError(_too_few(matrix, params))
        chance = _null_silhouettes(rows, groupings, params)
        agreement = _agreements(rows, groupings, params)
    scaled = _scaled(rows)
    return pd.DataFrame(
        {
            "k": [found.k for found in groupings],
            "inertia": [found.inertia for found in groupings],
            "silhouette": [silhouette(scaled, found.labels, params) for found in groupings],
            "null_silhouette": chance.mean(axis=1),
            "null_sd": _spread(chance),
            "stability": agreement.mean(axis=1),
            "stability_sd": _spread(agreement),
            "smallest_share": [np.bincount(found.labels).min() / len(rows) for found in groupings],
        }
    )


def silhouette(scaled: np.ndarray, labels: np.ndarray, params: ClusteringParams) -> float:
    """How much nearer customers are to their own cluster than to the next one.

    Args:
        scaled: Customers x columns, standardised.
        labels: Position of each customer's cluster.
        params: How many customers are drawn, and the seed; the draw is the same for every k.

    Returns:
        Mean silhouette of the drawn customers, -1..1; 0 where it has no meaning: all of them in one
        cluster, or each alone.
    """
    sample = _drawn(len(scaled), params.silhouette_rows, params.seed, SAMPLE)
    clusters = len(np.unique(labels[sample]))
    if not 1 < clusters < len(sample):
        return 0.0
    with threadpool_limits(limits=1):
        return float(silhouette_score(scaled[sample], labels[sample]))


def _groupings(rows: np.ndarray, params: ClusteringParams) -> list[Grouping]:
    """The clusters of each candidate for which there are enough different customers."""
    if len(rows) == 0 or not np.ptp(rows, axis=0).any():
        return []
    scaled = _scaled(rows)
    calls = [(scaled, k, params) for k in _candidates(params) if k <= len(rows)]
    found = _each(_grouping, calls, "numbers of segments")
    return [one for one in found if len(np.unique(one.labels)) == one.k]


def _null_silhouettes(
    rows: np.ndarray, groupings: Sequence[Grouping], params: ClusteringParams
) -> np.ndarray:
    """Candidates x draws: silhouettes where no column knows of another."""
    shape = (len(groupings), params.null_draws)
    if np.count_nonzero(np.ptp(rows, axis=0)) < 2:  # noqa: PLR2004 - a column alone permutes to itself
        return np.full(shape, np.nan)
    scaled = _scaled(rows)
    calls = [(scaled, one.k, draw, params) for one in groupings for draw in range(shape[1])]
    return np.reshape(_each(_null_silhouette, calls, "comparison with chance"), shape)


def _agreements(
    rows: np.ndarray, groupings: Sequence[Grouping], params: ClusteringParams
) -> np.ndarray:
    """Candidates x draws: adjusted Rand index with the clusters of resamples."""
    shape = (len(groupings), params.bootstrap_draws)
    calls = [(rows, one, draw, params) for one in groupings for draw in range(shape[1])]
    return np.reshape(_each(_agreement, calls, "stability in resamples"), shape)


def _each(function: Callable[..., Any], calls: list[tuple[Any, ...]], label: str) -> list[Any]:
    alone = partial(_in_one_thread, function)
    return list(with_progress(in_threads(alone, calls, ALL_CORES), len(calls), label))


def _in_one_thread(function: Callable[..., Any], *call: Any) -> Any:
    # A limit on OpenMP holds only for the thread that sets it, so each task sets its own: with
    # several threads, K-Means adds up in the order in which they finish.
    with threadpool_limits(limits=1, user_api="openmp"):
        return function(*call)


def _grouping(scaled: np.ndarray, k: int, params: ClusteringParams) -> Grouping:
    model = _fitted(scaled, k, params)
    return Grouping(k, model.labels_, float(model.inertia_))


def _null_silhouette(scaled: np.ndarray, k: int, draw: int, params: ClusteringParams) -> float:
    # permuting moves no mean and no deviation: what is standardised stays so
    permuted = _generator(params.seed, NULL, draw).permuted(scaled, axis=0)
    return silhouette(permuted, _fitted(permuted, k, params).labels_, params)


def _agreement(rows: np.ndarray, whole: Grouping, draw: int, params: ClusteringParams) -> float:
    resample = _generator(params.seed, RESAMPLE, draw).integers(len(rows), size=len(rows))
    scaler = StandardScaler().fit(rows[resample])
    model = _fitted(scaler.transform(rows[resample]), whole.k, params)
    return float(adjusted_rand_score(whole.labels, model.predict(scaler.transform(rows))))


def _fitted(scaled: np.ndarray, k: int, params: ClusteringParams) -> KMeans:
    return KMeans(k, n_init=params.n_init, max_iter=params.max_iter, random_state=params.seed).fit(
        scaled
    )


def _scaled(rows: np.ndarray) -> np.ndarray:
    return np.asarray(StandardScaler().fit_transform(rows))


def _spread(draws: np.ndarray) -> np.ndarray:
    """Standard deviation of each candidate's draws; 0 for a single draw."""
    return np.asarray(np.std(draws, axis=1, ddof=min(1, draws.shape[1] - 1)))


def _candidates(params: ClusteringParams) -> list[int]:
    fewest, most = params.candidates
    fixed = set() if params.k is None else {params.k}
    return sorted({*range(fewest, most + 1)} | fixed)


def _drawn(count: int, at_most: int, seed: int, stream: int) -> np.ndarray:
    """Positions without repetition, in order; all of them where there are few enough."""
    if count <= at_most:
        return np.arange(count)
    return np.sort(_generator(seed, stream).choice(count, at_most, replace=False))


def _generator(seed: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, *stream])


def _too_few(matrix: np.ndarray, params: ClusteringParams) -> str:
    return (
        f"Segments need at least {_candidates(params)[0]} active customers that differ (the "
        f"smallest number of segments compared); {len(matrix)} active customers came, "
        f"{len(np.unique(matrix, axis=0))} of them different. Lower "
        f"clustering.minimum_transactions ({params.minimum_transactions}), bring more data, widen "
        "clustering.columns or features.rubros if everybody is alike, or compare fewer segments "
        "(clustering.candidates, clustering.k)."
    )
