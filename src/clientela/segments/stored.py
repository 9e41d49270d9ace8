"""A segmentation as it is stored: scikit-learn parts, and the account of what they are."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from clientela.modelling.storage.stored_model import StoredModel, frame_sha256, library_versions
from clientela.segments.assignment import KEY, is_active, segment_members
from clientela.segments.clustering import CLUSTERS, SCALER
from clientela.segments.identity import Identity
from clientela.segments.matrix import matrix
from clientela.segments.membership import fitted_mixture, membership, probabilities
from clientela.segments.params import SegmentationParams
from clientela.segments.segmentation import Segmentation

SEGMENTS, MIXTURE = "segments", "mixture"


def stored_segmentation(
    made: Segmentation, features: pd.DataFrame, params: SegmentationParams
) -> StoredModel:
    """The fitted parts with their manifest; with a Gaussian mixture where membership is wanted.

    Args:
        made: A run of segmentation.
        features: What it was made from, one row per customer (PII).
        params: What may vary.

    Returns:
        The model as it is stored.
    """
    columns = list(made.identity.columns)
    active = is_active(features, params.clustering).to_numpy()
    parts: dict[str, Any] = {SEGMENTS: made.model, MIXTURE: None}
    if params.membership.mode != "none":
        scaled = _scaled(made.model, features, active, made.identity)
        hard = made.model[CLUSTERS].cluster_centers_
        parts[MIXTURE] = fitted_mixture(scaled, hard, params.clustering)
    return StoredModel(
        parts,
        {
            "task": "segments",
            "problem_type": "clustering",
            "key": KEY,
            "features": columns,
            "warm_start": made.warm,
            "identity": made.identity.model_dump(mode="json"),
            "params": params.clustering.model_dump(mode="json"),
            "seed": params.clustering.seed,
            "training_rows": int(active.sum()),
            "training_data_sha256": frame_sha256(features.loc[active, columns]),
            "versions": library_versions(),
        },
    )


def identity_of(model: StoredModel) -> Identity:
    """The segments of a stored model.

    Args:
        model: What `stored_segmentation` made.

    Returns:
        Ids, names, columns, centres.
    """
    return Identity.model_validate(model.manifest["identity"])


def placed_customers(
    model: StoredModel,
    features: pd.DataFrame,
    previous: pd.DataFrame | None,
    params: SegmentationParams,
) -> pd.DataFrame:
    """Customers, new ones too, in the segments of a stored model, without a refit.

    Args:
        model: A stored model.
        features: One row per customer (PII).
        previous: Who was in which segment before; see `segment_members`.
        params: Minimum activity, and the margin for leaving a segment.

    Returns:
        See `segment_members`.
    """
    fitted: Pipeline = model.estimator[SEGMENTS]
    return segment_members(features, fitted, identity_of(model), previous, params.clustering)


def soft_membership(
    model: StoredModel, features: pd.DataFrame, params: SegmentationParams
) -> dict[str, Any]:
    """How clear-cut the segments are.

    Args:
        model: A stored model.
        features: One row per customer (PII).
        params: Whether soft membership is wanted.

    Returns:
        `mode`, and unless it is `none` what `clientela.segments.membership.membership` gives.
    """
    if params.membership.mode == "none" or model.estimator[MIXTURE] is None:
        return {"mode": "none"}
    identity, fitted = identity_of(model), model.estimator[SEGMENTS]
    active = is_active(features, params.clustering).to_numpy()
    scaled = _scaled(fitted, features, active, identity)
    labels = fitted[CLUSTERS].predict(scaled)
    found = membership(model.estimator[MIXTURE], scaled, labels, identity.ids)
    return {"mode": params.membership.mode, **found}


def exported_probabilities(
    model: StoredModel, features: pd.DataFrame, params: SegmentationParams
) -> pd.DataFrame | None:
    """The probability of each segment for each customer, where the export shall have them.

    Args:
        model: A stored model.
        features: One row per customer (PII).
        params: Whether soft membership is exported.

    Returns:
        `prob_<cluster_id>`, one row per row of `features`, missing for customers without enough
        activity; None where it is not exported.
    """
    if params.membership.mode != "export" or model.estimator[MIXTURE] is None:
        return None
    identity = identity_of(model)
    active = is_active(features, params.clustering).to_numpy()
    scaled = _scaled(model.estimator[SEGMENTS], features, active, identity)
    found = probabilities(model.estimator[MIXTURE], scaled, identity.ids)
    rows = np.flatnonzero(active)
    return found.set_axis(rows, axis=0).reindex(range(len(features)))


def _scaled(
    fitted: Pipeline, features: pd.DataFrame, active: np.ndarray, identity: Identity
) -> np.ndarray:
    values = matrix(features, identity.columns, transformed=identity.transformed, where=active)
    return np.asarray(fitted[SCALER].transform(values))
