"""One model of customer segments: fitted, stored, applied to customers, and exported.

Beside the hard segments stands a Gaussian mixture that says how clearly each customer belongs to
theirs. It begins at the hard segments, component by component, so that its probabilities can be
read as those of the segments, and takes one round of expectation and maximisation from there. More
rounds fit the data better and leave the segments behind: at rest the most probable component was
the hard segment for 67 % of the customers of the sample, after one round for 89 %. Where the two
disagree the report says how often.
"""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from clientela.exceptions import ConfigurationError, RowAccountingError
from clientela.features.segment_columns import (
    AFTER_MODEL_DATE,
    BEFORE_WINDOW,
    EXPORTED_FEATURES,
    KEY,
    NO_TRANSACTION,
    PROBABILITY_PREFIX,
    ClusteringParams,
    ColumnLayout,
    SegmentationParams,
    build_matrix,
    list_matrix_columns,
    order_export_columns,
)
from clientela.models.segment_profile import choose_segment_names
from clientela.models.segmentation import (
    CLUSTERS,
    SCALER,
    SIN_ACTIVIDAD,
    SIN_ACTIVIDAD_NAME,
    SegmentIdentity,
    SegmentMatch,
    assign_first_ids,
    assign_segments,
    compute_center_distances,
    compute_center_proximity,
    compute_centers,
    compute_overlap,
    find_previous_segments,
    fit_clusters,
    is_active,
    match_segments,
)
from clientela.models.stored_model import StoredModel, compute_frame_sha256, get_library_versions

logger = logging.getLogger(__name__)

# Highest probability below which a customer stands between segments.
UNCLEAR = 0.6
# Least variance of a component, of the 1 that a standardised column has. Rubros where most
# customers spend nothing would else become components without width, and every probability 1.
NARROWEST = 0.1
# Of expectation and maximisation.
ROUNDS = 1
SEGMENTS, MIXTURE = "segments", "mixture"
# Of scores and probabilities: a ten-thousandth of the customers is finer than any campaign.
DECIMALS = 4

# What earlier runs left, by text that ends in an ISO date.
Snapshots = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True)
class PreviousModel:
    """The model before this one, and who was in which of its segments."""

    identity: SegmentIdentity
    members: pd.DataFrame


@dataclass(frozen=True)
class Segmentation:
    """A fitted model with its segments.

    Attributes:
        members: One row per customer (PII); see `assign_segments`.
        warm: Whether it began at the previous model's centres.
    """

    model: Pipeline
    identity: SegmentIdentity
    members: pd.DataFrame
    continued: SegmentMatch
    warm: bool


def find_latest_before(snapshots: Snapshots, day: date) -> str | None:
    """The newest snapshot of an earlier date, so that a rerun of a date reproduces itself."""
    length = len(day.isoformat())
    earlier = [key for key in snapshots if key[-length:] < day.isoformat()]
    return max(earlier, key=lambda key: key[-length:], default=None)


def load_previous_identity(snapshots: Snapshots, day: date) -> SegmentIdentity | None:
    """The model before a date; None for a first one."""
    key = find_latest_before(snapshots, day)
    return None if key is None else SegmentIdentity.model_validate(snapshots[key]())


def load_members(exports: Snapshots, day: date | None) -> pd.DataFrame | None:
    """Who was in which segment of a model.

    Returns:
        `id_cliente` (PII), `cluster_id`; None where that model was never exported.
    """
    keys = [key for key in exports if day is not None and key.endswith(day.isoformat())]
    if not keys:
        return None
    exported: pd.DataFrame = exports[keys[0]]()
    return exported[["dni", "cluster_id"]].rename(columns={"dni": KEY})


def fit_segmentation(
    features: pd.DataFrame,
    layout: ColumnLayout,
    k: int,
    previous: PreviousModel | None,
    params: SegmentationParams,
) -> Segmentation:
    """Customers to segments that keep the ids and names of the previous model.

    Raises:
        TrainingDataError: There are fewer distinct active customers than segments.
        ConfigurationError: A name is given to a segment that does not exist, or twice.
    """
    clustering = params.clustering
    before, old = (previous.identity, previous.members) if previous else (None, None)
    customers = find_previous_segments(features, old, clustering)
    columns = tuple(list_matrix_columns(layout, clustering.columns))
    matrix = build_matrix(
        features, columns, transformed=clustering.transformed, where=customers.active
    )
    starts = _get_starting_centers(before, columns, k, clustering)
    model = fit_clusters(matrix, k, clustering, starts)
    distances = compute_center_distances(model, matrix)
    labels = distances.argmin(axis=1)
    continued = assign_first_ids(labels, k)
    if before is not None:
        overlap = compute_overlap(labels, customers.before[customers.active], k, before.ids)
        if not overlap.any() and before.columns == columns:
            overlap = _compare_centers(model, before)
        continued = match_segments(overlap, before, clustering.minimum_overlap)
    members = assign_segments(customers, distances, continued.ids, clustering.switch_margin)
    names = choose_segment_names(features, members, layout, params.naming, before)
    identity = SegmentIdentity(
        fecha_modelo=layout.fecha_modelo,
        layout=layout,
        columns=columns,
        transformed=clustering.transformed,
        centers=tuple(map(tuple, compute_centers(model).tolist())),
        ids=continued.ids,
        names={i: name.name for i, name in names.items()},
        name_reasons={i: name.reason for i, name in names.items()},
        retired=tuple(sorted({*(before.retired if before else ()), *continued.deaths})),
        previous=before.fecha_modelo if before else None,
    )
    _log_changes(identity, before)
    return Segmentation(model, identity, members, continued, warm=starts is not None)


def _get_starting_centers(
    before: SegmentIdentity | None, columns: tuple[str, ...], k: int, params: ClusteringParams
) -> np.ndarray | None:
    """The previous centres, where they can be begun at; says so where they can't."""
    if before is None or params.start == "cold":
        return None
    same_columns = before.columns == columns and before.transformed == params.transformed
    if same_columns and len(before.ids) == k:
        return np.asarray(before.centers)
    changed = sorted(set(before.columns) ^ set(columns))
    logger.warning(
        "Clusters begin anew, and keep ids and names by the customers they share: the model of %s "
        "had %d segments, this one has %d%s.",
        before.fecha_modelo,
        len(before.ids),
        k,
        f", made from other columns ({', '.join(changed)})" if changed else "",
    )
    return None


def _compare_centers(model: Pipeline, before: SegmentIdentity) -> np.ndarray:
    logger.warning(
        "No customer of the model of %s is left: segments are matched by their centres.",
        before.fecha_modelo,
    )
    scale = model[SCALER].transform
    return compute_center_proximity(
        scale(compute_centers(model)), scale(np.asarray(before.centers))
    )


def _log_changes(identity: SegmentIdentity, before: SegmentIdentity | None) -> None:
    if before is None:
        return
    for segment in before.ids:
        if segment not in identity.ids:
            logger.warning("Segment %d (%s) ended.", segment, before.names[segment])
    for segment in sorted(set(identity.ids) - set(before.ids)):
        logger.warning("Segment %d (%s) is new.", segment, identity.names[segment])


def build_stored_segmentation(
    segmentation: Segmentation, features: pd.DataFrame, params: SegmentationParams
) -> StoredModel:
    """The fitted parts with their manifest; with a Gaussian mixture where membership is wanted.

    Args:
        features: What it was made from, one row per customer (PII).
    """
    model, identity = segmentation.model, segmentation.identity
    columns = list(identity.columns)
    active = is_active(features, params.clustering)
    mixture = None
    if params.membership.mode != "none":
        scaled = _scale_customers(model, features, active, identity)
        mixture = fit_mixture(scaled, model[CLUSTERS].cluster_centers_, params.clustering)
    return StoredModel(
        {SEGMENTS: model, MIXTURE: mixture},
        {
            "task": "segments",
            "problem_type": "clustering",
            "key": KEY,
            "features": columns,
            "warm_start": segmentation.warm,
            "identity": identity.model_dump(mode="json"),
            "params": params.clustering.model_dump(mode="json"),
            "seed": params.clustering.seed,
            "training_rows": int(active.sum()),
            "training_data_sha256": compute_frame_sha256(features.loc[active, columns]),
            "versions": get_library_versions(),
        },
    )


def get_identity(model: StoredModel) -> SegmentIdentity:
    """The segments of a stored model."""
    return SegmentIdentity.model_validate(model.manifest["identity"])


def fit_mixture(
    scaled: np.ndarray, centers: np.ndarray, params: ClusteringParams
) -> GaussianMixture:
    """A Gaussian mixture whose component `i` began as cluster `i`.

    Args:
        scaled: Active customers x columns, standardised; at most `evaluation_rows` are drawn.

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
    labels = pairwise_distances_argmin(rows, centers)
    # one customer more each, so that a cluster absent from the draw has a weight
    sizes = 1 + np.bincount(labels, minlength=len(centers))
    deviations = rows - centers[labels]
    covariance = deviations.T @ deviations / max(len(rows), 1)
    mixture = GaussianMixture(
        len(centers),
        covariance_type="tied",
        reg_covar=NARROWEST,
        max_iter=ROUNDS,
        random_state=params.seed,
        weights_init=sizes / sizes.sum(),
        means_init=centers,
        precisions_init=np.linalg.inv(covariance + NARROWEST * np.eye(rows.shape[1])),
    )
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        # one round does not come to rest, and shall not
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(rows)


def predict_segment_probabilities(
    mixture: GaussianMixture, scaled: np.ndarray, ids: Sequence[int]
) -> pd.DataFrame:
    """One row per customer: the probability of each segment.

    Returns:
        `prob_<id>` (float64, 0..1), by id; each row adds up to 1.
    """
    values = np.empty((0, len(ids)))
    if len(scaled):
        with threadpool_limits(limits=1):
            values = mixture.predict_proba(scaled)
    order = np.argsort(ids)
    columns = [f"{PROBABILITY_PREFIX}{ids[place]}" for place in order]
    return pd.DataFrame(values[:, order], columns=columns)


def measure_membership(
    mixture: GaussianMixture, scaled: np.ndarray, labels: np.ndarray, ids: Sequence[int]
) -> dict[str, Any]:
    """How clear-cut the hard segments are, as the mixture sees them.

    Returns:
        `agreement`: share of customers whose most probable component is their hard segment;
        `mean_highest`: mean of their highest probability; `unclear_share`: share whose highest one
        is below .6; `segments`: per id, sorted, `cluster_id, customers` and the three
        figures, missing (None) where a segment has no customer.
    """
    chances = predict_segment_probabilities(mixture, scaled, ids).to_numpy()
    own = np.asarray(ids)[labels]
    customers = pd.DataFrame(
        {
            "agreement": np.sort(ids)[chances.argmax(axis=1)] == own,
            "mean_highest": chances.max(axis=1),
            "unclear_share": chances.max(axis=1) < UNCLEAR,
        }
    )
    segments = [
        {"cluster_id": int(segment), "customers": int((own == segment).sum())}
        | _compute_means(customers[own == segment])
        for segment in np.sort(ids)
    ]
    return {**_compute_means(customers), "segments": segments}


def _compute_means(customers: pd.DataFrame) -> dict[str, float | None]:
    return {
        str(name): None if customers.empty else float(values.mean())
        for name, values in customers.items()
    }


def measure_soft_membership(
    model: StoredModel, features: pd.DataFrame, params: SegmentationParams
) -> dict[str, Any]:
    """`mode`, and unless it is `none` what `measure_membership` says of a stored model."""
    if params.membership.mode == "none" or model.estimator[MIXTURE] is None:
        return {"mode": "none"}
    identity, fitted = get_identity(model), model.estimator[SEGMENTS]
    scaled = _scale_customers(fitted, features, is_active(features, params.clustering), identity)
    labels = fitted[CLUSTERS].predict(scaled)
    membership = measure_membership(model.estimator[MIXTURE], scaled, labels, identity.ids)
    return {"mode": params.membership.mode, **membership}


def predict_export_probabilities(
    model: StoredModel, features: pd.DataFrame, params: SegmentationParams
) -> pd.DataFrame | None:
    """The probability of each segment for each customer, where the export shall have them.

    Returns:
        `prob_<cluster_id>`, one row per row of `features`, missing for customers without enough
        activity; None where it is not exported.
    """
    if params.membership.mode != "export" or model.estimator[MIXTURE] is None:
        return None
    identity = get_identity(model)
    active = is_active(features, params.clustering)
    scaled = _scale_customers(model.estimator[SEGMENTS], features, active, identity)
    chances = predict_segment_probabilities(model.estimator[MIXTURE], scaled, identity.ids)
    return chances.set_axis(np.flatnonzero(active), axis=0).reindex(range(len(features)))


def _scale_customers(
    fitted: Pipeline, features: pd.DataFrame, active: pd.Series, identity: SegmentIdentity
) -> np.ndarray:
    """The active customers on the standardised scale of a model."""
    where = active.to_numpy()
    matrix = build_matrix(features, identity.columns, transformed=identity.transformed, where=where)
    return np.asarray(fitted[SCALER].transform(matrix))


def assign_to_stored_segments(
    model: StoredModel,
    features: pd.DataFrame,
    previous: pd.DataFrame | None,
    params: SegmentationParams,
) -> pd.DataFrame:
    """Customers, new ones too, in the segments of a stored model, without a refit."""
    identity, clustering = get_identity(model), params.clustering
    customers = find_previous_segments(features, previous, clustering)
    matrix = build_matrix(
        features, identity.columns, transformed=identity.transformed, where=customers.active
    )
    distances = compute_center_distances(model.estimator[SEGMENTS], matrix)
    return assign_segments(customers, distances, identity.ids, clustering.switch_margin)


def customer_segments(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: SegmentIdentity,
    probabilities: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per customer, in the required form.

    Args:
        probabilities: One column per segment and one row per row of `features`, where soft
            membership is exported.

    Returns:
        `dni` (PII, text), `cluster_id`, `cluster_nombre`, `rubro_top` (missing without any
        purchase), `score_<rubro>` (0..1), `prob_<cluster_id>` where given, `fecha_modelo` (ISO
        date); sorted by `dni`. Its columns are those of `EXPORT_COLUMNS`.
    """
    ids = features[[KEY]].merge(members[[KEY, "cluster_id"]], on=KEY, validate="one_to_one")
    measures = features[identity.layout.score_columns].reset_index(drop=True)
    if probabilities is not None:
        measures = measures.join(probabilities.reset_index(drop=True))
    table = measures.round(DECIMALS).assign(
        dni=features[KEY].to_numpy(),
        cluster_id=ids["cluster_id"].to_numpy(),
        cluster_nombre=ids["cluster_id"].map(identity.titles).to_numpy(),
        fecha_modelo=identity.fecha_modelo.isoformat(),
        **{name: features[name].to_numpy() for name in EXPORTED_FEATURES},
    )
    columns = order_export_columns(table.columns)
    if unlisted := sorted({*table.columns} - {*columns}):
        raise ConfigurationError(
            f"The export of segments has columns that EXPORT_COLUMNS does not list: "
            f"{', '.join(unlisted)}. Add them there (clientela/features/segment_columns.py): file, "
            "table and API follow that list."
        )
    return table[columns].sort_values("dni", ignore_index=True)


def account_for_customers(
    observed: Mapping[str, pd.DataFrame], members: pd.DataFrame, params: SegmentationParams
) -> dict[str, Any]:
    """Where every known customer is: in a segment, without activity, or left out, and why.

    Args:
        observed: `customers`: one row per `activity` with the known `customers`.
        members: One row per customer with a `cluster_id`: those of a model, or of an export.

    Returns:
        `known`, `exported`, `in_segments`, `sin_actividad` and `left_out` (customers), with
        `sin_actividad_reasons` and `left_out_reasons` (reason to customers), and a `sentence`.

    Raises:
        RowAccountingError: Exported and left-out customers do not add up to the known ones.
    """
    counts = observed["customers"].set_index("activity")["customers"].astype(int).to_dict()
    known, exported = sum(counts.values()), len(members)
    inactive = int((members["cluster_id"] == SIN_ACTIVIDAD).sum())
    left_out = counts.get(AFTER_MODEL_DATE, 0)
    if known != exported + left_out:
        raise RowAccountingError(
            f"{known} customers are known; {exported} with a segment and {left_out} whose first "
            "transaction is after the date of the model make another number. The features are of "
            "other tables: run kedro run --pipelines=feature_engineering,segmentation,scoring."
        )
    idle = {reason: counts.get(reason, 0) for reason in (BEFORE_WINDOW, NO_TRANSACTION)}
    few = f"fewer_than_{params.clustering.minimum_transactions}_purchases"
    reasons = {few: inactive - sum(idle.values()), **idle}
    listed = ", ".join(f"{reason} {customers}" for reason, customers in reasons.items())
    sentence = (
        f"customers: {known} known, {exported} exported ({exported - inactive} in segments, "
        f"{inactive} {SIN_ACTIVIDAD_NAME}: {listed}), {left_out} left out ({AFTER_MODEL_DATE})"
    )
    logger.info("%s", sentence)
    return {
        "known": known,
        "exported": exported,
        "in_segments": exported - inactive,
        "sin_actividad": inactive,
        "sin_actividad_reasons": reasons,
        "left_out": left_out,
        "left_out_reasons": {AFTER_MODEL_DATE: left_out},
        "sentence": sentence,
    }
