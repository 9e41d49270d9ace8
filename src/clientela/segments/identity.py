"""What makes a segment the same one next week: its members, and where its centre was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.optimize import linear_sum_assignment

from clientela.segments.layout import Layout

SIN_ACTIVIDAD = -1
"""Id of customers with too little activity to be placed."""

SIN_ACTIVIDAD_NAME = "Sin actividad"


class Identity(BaseModel):
    """Everything of a model that the next one needs so that segments keep ids and names.

    Attributes:
        fecha_modelo: Date of the model.
        layout: Its rubros and values.
        columns: What clusters were made from, in order.
        transformed: Whether those columns were transformed; see `ClusteringParams`.
        centers: One row per segment, in units of the matrix before scaling.
        ids: The segment of each row of `centers`.
        names: Id to name.
        name_reasons: Id to why it is called so.
        retired: Ids of segments that ended; they are not given again.
        previous: Date of the model that this one continues; None for a first one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fecha_modelo: date
    layout: Layout
    columns: tuple[str, ...]
    transformed: bool
    centers: tuple[tuple[float, ...], ...]
    ids: tuple[int, ...]
    names: dict[int, str]
    name_reasons: dict[int, str]
    retired: tuple[int, ...] = ()
    previous: date | None = None


@dataclass(frozen=True)
class Continuation:
    """How new clusters continue old segments.

    Attributes:
        ids: The segment id of each new cluster, by position.
        births: Ids that are new.
        deaths: Ids of the previous model that no cluster continues.
    """

    ids: tuple[int, ...]
    births: tuple[int, ...]
    deaths: tuple[int, ...]


def continuation(overlap: np.ndarray, previous: Identity, minimum_overlap: float) -> Continuation:
    """Which new cluster continues which old segment: the one-to-one match of most overlap.

    Args:
        overlap: Jaccard overlap of members, new clusters x old segments (in order of
            `previous.ids`).
        previous: The previous model.
        minimum_overlap: Below it a match is none: one segment ended and another began.

    Returns:
        Ids for every new cluster; those of segments that ended are never given again.
    """
    matched: dict[int, int] = {
        int(new): previous.ids[old]
        for new, old in zip(*linear_sum_assignment(-overlap), strict=True)
        if overlap[new, old] >= minimum_overlap
    }
    free = 1 + max((*previous.ids, *previous.retired))
    births = [position for position in range(len(overlap)) if position not in matched]
    fresh = {position: free + place for place, position in enumerate(births)}
    ids = matched | fresh
    return Continuation(
        ids=tuple(ids[position] for position in range(len(overlap))),
        births=tuple(fresh.values()),
        deaths=tuple(i for i in previous.ids if i not in matched.values()),
    )


def first_ids(labels: np.ndarray, clusters: int) -> tuple[int, ...]:
    """Ids of a first model: 0 for the largest cluster, and so on; ties by position.

    Args:
        labels: Position of each customer's cluster.
        clusters: How many there are.

    Returns:
        The id of each cluster, by position.
    """
    sizes = np.bincount(labels, minlength=clusters)
    ranks = np.empty(clusters, dtype=np.int64)
    ranks[np.argsort(-sizes, kind="stable")] = np.arange(clusters)
    return tuple(int(rank) for rank in ranks)


def overlaps(
    labels: np.ndarray, previous_ids: pd.Series, clusters: int, ids: Sequence[int]
) -> np.ndarray:
    """Jaccard overlap of members between new clusters and old segments.

    Counted over the customers that both models placed in a segment.

    Args:
        labels: Position of each customer's new cluster.
        previous_ids: The same customers' previous segment; missing for who had none.
        clusters: How many new clusters there are.
        ids: The previous model's ids.

    Returns:
        clusters x ids, each 0..1.
    """
    columns = positions(previous_ids, ids)
    both = columns >= 0
    shared = np.zeros((clusters, len(ids)))
    np.add.at(shared, (labels[both], columns[both]), 1)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    overlap: np.ndarray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def positions(segments: pd.Series, ids: Sequence[int]) -> np.ndarray:
    """Where each customer's segment stands among the ids.

    Args:
        segments: Ids, missing for who has none.
        ids: Different ones.

    Returns:
        One position per customer; -1 for who has none, or another.
    """
    # floats, in which a missing id is none of them: nullable integers take ten times longer
    values = segments.to_numpy(dtype=np.float64, na_value=np.nan)
    known = pd.Index(np.asarray(ids, dtype=np.float64))
    return np.asarray(known.get_indexer(pd.Index(values)))


def nearness(centers: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """How near new centres lie to old ones, as a substitute for overlap without shared customers.

    Args:
        centers: New centres, scaled.
        previous: Old centres on the same scale.

    Returns:
        New x old, `1 / (1 + distance)`, each 0..1.
    """
    distances = np.linalg.norm(centers[:, None, :] - previous[None, :, :], axis=2)
    return np.asarray(1.0 / (1.0 + distances))
