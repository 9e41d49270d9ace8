"""Our segments as a first run makes them: active customers, matrix, fit, ids, names, members."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clientela.features.segment_columns import ClusteringParams, ColumnLayout, SegmentationParams
from clientela.models.segment_model import PreviousModel, fit_segmentation
from clientela.models.segmentation import SegmentIdentity
from segment_task import (
    FEWEST_PURCHASES,
    KEY,
    MOST_ROUNDS,
    SEED,
    SHARES,
    STARTS,
    K,
    Placement,
    written,
)

__all__ = ["found", "loaded", "written"]


@dataclass(frozen=True)
class Week:
    """What a weekly retrain begins with.

    Attributes:
        features: One row per customer.
        layout: Which columns there are.
        previous: Last week's model and customers.
    """

    features: pd.DataFrame
    layout: ColumnLayout
    previous: PreviousModel


def loaded(features: Path, customers: Path, model: Path) -> Week:
    """What fit and assign read, without the columns that only reports need.

    Args:
        features: One row per customer.
        customers: Last week's segments of the customers.
        model: Last week's.

    Returns:
        This week and the last one.
    """
    return week(pd.read_parquet(features, columns=[KEY, "num_tx", *SHARES]), customers, model)


def week(features: pd.DataFrame, customers: Path, model: Path) -> Week:
    """This week's features beside last week's model.

    Args:
        features: One row per customer.
        customers: Last week's segments of the customers.
        model: Last week's.

    Returns:
        This week and the last one.
    """
    identity = SegmentIdentity.model_validate_json(model.read_text(encoding="utf-8"))
    return Week(features, identity.layout, PreviousModel(identity, pd.read_parquet(customers)))


def found(week: Week) -> Placement:
    """A first model, and who is in which segment.

    Args:
        week: Of last week only the layout counts.

    Returns:
        A segment per active customer.
    """
    return placed(week, STARTS, None)


def placed(week: Week, starts: int, previous: PreviousModel | None) -> Placement:
    """The nearest segment of each active customer.

    Args:
        week: This week's features.
        starts: Random starts of a first model.
        previous: The model to continue; None for a first one.

    Returns:
        What bare scikit-learn also has to find.
    """
    params = SegmentationParams(clustering=clustering(starts))
    made = fit_segmentation(week.features, week.layout, K, previous, params)
    active = made.members["cluster_cercano"] >= 0
    nearest = made.members.loc[active, "cluster_cercano"].to_numpy()
    return Placement(made.members.loc[active, KEY], nearest)


def clustering(starts: int) -> ClusteringParams:
    """The shipped parameters, those that bare scikit-learn shares named once for both.

    Args:
        starts: Random starts of a first model.

    Returns:
        How customers become segments.
    """
    return ClusteringParams(
        n_init=starts, max_iter=MOST_ROUNDS, seed=SEED, minimum_transactions=FEWEST_PURCHASES
    )
