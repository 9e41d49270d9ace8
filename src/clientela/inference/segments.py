"""Segments of customers: the nearest centre, or `sin_actividad`."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from clientela.classification.codes import Floats
from clientela.exceptions import ModelFileError
from clientela.inference.binary import Model
from clientela.inference.features import Features, Layout, bounded
from clientela.inference.manifest import ServedManifest
from clientela.modelling.storage.stored_model import StoredModel
from clientela.modelling.tasks import Predictions
from clientela.segments.clustering import CLUSTERS, SCALER
from clientela.segments.identity import SIN_ACTIVIDAD
from clientela.segments.matrix import transform_of
from clientela.segments.params import ClusteringParams
from clientela.segments.stored import SEGMENTS, identity_of

ACTIVITY = "num_tx"
"""Feature that says whether a customer bought often enough to be placed."""


def segments_model(model: StoredModel, manifest: ServedManifest, layout: Layout) -> Model:
    """A stored segmentation over features; customers stay where they are nearest.

    Args:
        model: What `clientela.segments.stored.stored_segmentation` made.
        manifest: Names and ids.
        layout: Where the features stand.

    Returns:
        From features to the position of the segment in the manifest's classes, and its id.

    Raises:
        ModelFileError: The manifest does not know each of the segments.
    """
    identity, fitted = identity_of(model), model.estimator[SEGMENTS]
    scaler, centres = fitted[SCALER], fitted[CLUSTERS].cluster_centers_[:, :, None]
    least = ClusteringParams.model_validate(model.manifest["params"]).minimum_transactions
    ids = np.array([*identity.ids, SIN_ACTIVIDAD])
    codes = _codes(ids.tolist(), manifest)
    transformed = _transformed(identity.columns, layout, wanted=identity.transformed)
    middle, width = scaler.mean_[:, None], scaler.scale_[:, None]
    activity = layout.rows[ACTIVITY]

    def answer(features: Features) -> Predictions:
        scaled = (transformed(features) - middle) / width
        apart = np.add.accumulate((centres - scaled) ** 2, axis=1)[:, -1]
        # the last id is that of nobody's segment
        places = np.where(features.numbers[activity] >= least, apart.argmin(axis=0), len(centres))
        nothing = np.empty((features.cases, 0))
        return Predictions(codes[places], nothing, ids[places].astype(np.float64))

    return answer


def segment_fields(model: StoredModel) -> tuple[str, ...]:
    """The features that placing a customer reads.

    Args:
        model: What `clientela.segments.stored.stored_segmentation` made.

    Returns:
        Columns of the customers' features.
    """
    return tuple(dict.fromkeys([*model.features, ACTIVITY]))


def _codes(ids: Sequence[int], manifest: ServedManifest) -> np.ndarray:
    known: Mapping[int, int] = {
        int(manifest.target[name]): place
        for place, name in enumerate(manifest.classes)
        if name in manifest.target
    }
    absent = [str(each) for each in ids if each not in known]
    if absent:
        raise ModelFileError(
            f"The package of {manifest.use_case} should name each segment, sin_actividad "
            f"({SIN_ACTIVIDAD}) too; its classes and target lack {', '.join(absent)}. Run the "
            "deployment stage again."
        )
    return np.array([known[each] for each in ids], dtype=np.int64)


def _transformed(
    columns: Sequence[str], layout: Layout, *, wanted: bool
) -> Callable[[Features], Floats]:
    """Columns x cases, as `clientela.segments.matrix.matrix` has them."""
    places = layout.places(columns)
    if not wanted:
        return lambda features: bounded(features.numbers[places])
    changes = [transform_of(name) for name in columns]

    def transformed(features: Features) -> Floats:
        rows = bounded(features.numbers[places])
        return np.stack([change(row) for change, row in zip(changes, rows, strict=True)])

    return transformed
