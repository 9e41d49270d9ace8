"""The required export: one row per customer, as a backend reads it."""

import pandas as pd

from clientela.segments.assignment import KEY
from clientela.segments.identity import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME, Identity
from clientela.segments.layout import REST
from clientela.segments.matrix import SCORE

DECIMALS = 4
"""Of scores and probabilities: a ten-thousandth of the customers is finer than any campaign."""


def export_columns(identity: Identity) -> list[str]:
    """The features that an export reads, placing each customer included.

    Args:
        identity: Rubros and matrix of the model.

    Returns:
        Column names, the key first, some of them maybe twice.
    """
    return [KEY, "num_tx", "rubro_top", *identity.columns, *_scores(identity)]


def customer_segments(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: Identity,
    probabilities: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per customer, in the required form.

    Args:
        features: One row per customer (PII): `rubro_top` and scores.
        members: Their segments, in any order.
        identity: Names, rubros and date of the model.
        probabilities: One column per segment and one row per row of `features`, where soft
            membership is exported.

    Returns:
        `dni` (PII, text), `cluster_id`, `cluster_nombre`, `rubro_top` (missing without any
        purchase), `score_<rubro>` (0..1), `prob_<cluster_id>` where given, `fecha_modelo` (ISO
        date); sorted by `dni`.
    """
    ids = features[[KEY]].merge(members[[KEY, "cluster_id"]], on=KEY, validate="one_to_one")
    names = identity.names | {SIN_ACTIVIDAD: SIN_ACTIVIDAD_NAME}
    parts = [
        pd.DataFrame(
            {
                "dni": features[KEY].to_numpy(),
                "cluster_id": ids["cluster_id"].to_numpy(),
                "cluster_nombre": ids["cluster_id"].map(names).to_numpy(),
                "rubro_top": features["rubro_top"].to_numpy(),
            }
        ),
        features[_scores(identity)].round(DECIMALS).reset_index(drop=True),
    ]
    if probabilities is not None:
        parts.append(probabilities.round(DECIMALS).reset_index(drop=True))
    table = pd.concat(parts, axis=1).assign(fecha_modelo=identity.fecha_modelo.isoformat())
    return table.sort_values("dni", ignore_index=True)


def _scores(identity: Identity) -> list[str]:
    return [f"{SCORE}{slug}" for slug in identity.layout.slugs if slug != REST]
