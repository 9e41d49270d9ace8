"""Who each segment is: size, value, rubros, demographics; nothing about one person."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from clientela.segments.assignment import KEY
from clientela.segments.identity import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME
from clientela.segments.layout import Layout, Rubro
from clientela.segments.matrix import SCORE
from clientela.segments.params import SegmentReportParams

MEASURES = ("gasto_total", "ticket_promedio", "num_tx", "recencia_dias")
ATTRIBUTES = ("edad", "genero", "estrato_social")
AGE_EDGES = (-np.inf, 25, 35, 45, 55, 65, np.inf)
AGE_BANDS = ("menos de 25", "25-34", "35-44", "45-54", "55-64", "65 o más")
MISSING = "sin dato"
POOLED = "otros valores"
"""Values too rare to show, together."""


def profile_columns(layout: Layout) -> list[str]:
    """The features that a profile reads.

    Args:
        layout: Which rubros there are.

    Returns:
        Column names, the key first.
    """
    per_rubro = ("gasto_{}", "frecuencia_{}", f"{SCORE}{{}}")
    rubros = [name.format(slug) for slug in layout.slugs for name in per_rubro]
    return [KEY, *MEASURES, *rubros, *ATTRIBUTES]


def segment_profile(
    features: pd.DataFrame,
    members: pd.DataFrame,
    names: Mapping[int, str],
    layout: Layout,
    params: SegmentReportParams,
) -> dict[str, pd.DataFrame]:
    """What sets segments apart, from their customers' features.

    Args:
        features: One row per customer (PII).
        members: `id_cliente` (PII), `cluster_id`, one row for each of them.
        names: Id to name.
        layout: Which rubros there are.
        params: The smallest number of customers that is shown.

    Returns:
        Three tables of those segments that have customers, by id, `sin_actividad` last:
        `segments`, one row per segment with `cluster_id, cluster_nombre, clientes,
        clientes_share, gasto, gasto_share, gasto_medio, ticket_mediano, compras_mediana,
        recencia_mediana` (amounts net, days); `rubros`, one row per active segment and rubro; and
        `demographics`, one row per segment, attribute and value.
    """
    seats = seated(features, members)
    return {
        "segments": _segments(features, seats, names),
        "rubros": _rubros(features, seats, layout),
        "demographics": _demographics(features, seats, params.min_customers),
    }


def seated(features: pd.DataFrame, members: pd.DataFrame) -> pd.Series:
    """The segment of each customer, in order of their key: sums of floats depend on the order.

    Args:
        features: One row per customer: `id_cliente` (PII).
        members: `id_cliente` (PII), `cluster_id`, one row for each of them, in any order.

    Returns:
        Ids of segments; the index holds the position of the customer's row in `features`.
    """
    keys = features[KEY].reset_index(drop=True)
    ids = members["cluster_id"].reset_index(drop=True)
    # A million keys take a second to sort and another to look up, and mostly they lie ready.
    if not members[KEY].reset_index(drop=True).equals(keys):
        ids = keys.map(members.set_index(KEY)["cluster_id"])
    if not keys.is_monotonic_increasing:
        ids = ids.loc[keys.sort_values().index]
    return ids.astype("int64").rename("cluster_id")


def _segments(features: pd.DataFrame, seats: pd.Series, names: Mapping[int, str]) -> pd.DataFrame:
    groups = features[[*MEASURES]].iloc[seats.index].groupby(seats.to_numpy())
    size, spend = groups.size(), groups["gasto_total"].sum()
    titles = {**names, SIN_ACTIVIDAD: SIN_ACTIVIDAD_NAME}
    table = pd.DataFrame(
        {
            "cluster_id": size.index,
            "cluster_nombre": [titles[segment] for segment in size.index],
            "clientes": size,
            "clientes_share": size / size.sum(),
            "gasto": spend,
            "gasto_share": spend / (spend.sum() or np.nan),
            "gasto_medio": spend / size,
            "ticket_mediano": groups["ticket_promedio"].median(),
            "compras_mediana": groups["num_tx"].median(),
            "recencia_mediana": groups["recencia_dias"].median(),
        }
    )
    return table.sort_values("cluster_id", key=inactive_last, ignore_index=True)


def inactive_last(ids: pd.Series) -> pd.Series:
    """A sort key for ids of segments that puts `sin_actividad` behind all others.

    Args:
        ids: Ids of segments.

    Returns:
        The ids, with `sin_actividad` after the largest.
    """
    return ids.replace(SIN_ACTIVIDAD, ids.max() + 1)


def _rubros(features: pd.DataFrame, seats: pd.Series, layout: Layout) -> pd.DataFrame:
    """One row per active segment and rubro, in the order of the layout.

    Returns:
        `cluster_id, slug, label, participacion` (of the segment's positive spend), `lift`
        (`participacion` over that of all active customers; missing where nobody bought),
        `score_medio` (0..1), `compradores_share` (customers who bought there).
    """
    active = seats[seats != SIN_ACTIVIDAD]
    table = pd.concat([_rubro(features, active, rubro) for rubro in layout.rubros])
    spend, everybody = table["gasto"], table["gasto"].sum()
    by_segment = spend.groupby(table["cluster_id"]).transform("sum")
    expected = spend.groupby(table["slug"]).transform("sum") / (everybody or np.nan)
    share = (spend / by_segment.replace(0.0, np.nan)).fillna(0.0)
    table = table.assign(participacion=share, lift=share / expected.replace(0.0, np.nan))
    columns = ["participacion", "lift", "score_medio", "compradores_share"]
    ordered = table.sort_values("cluster_id", kind="stable", ignore_index=True)
    return ordered[["cluster_id", "slug", "label", *columns]]


def _rubro(features: pd.DataFrame, active: pd.Series, rubro: Rubro) -> pd.DataFrame:
    """One row per segment, for one rubro: a million customers' columns are not copied at once."""
    slug, rows = rubro.slug, active.index
    customers = pd.DataFrame(
        {
            "gasto": features[f"gasto_{slug}"].iloc[rows].clip(lower=0).to_numpy(),
            "score_medio": features[f"{SCORE}{slug}"].iloc[rows].to_numpy(),
            "compradores_share": (features[f"frecuencia_{slug}"].iloc[rows] > 0).to_numpy(),
        }
    )
    how = {"gasto": "sum", "score_medio": "mean", "compradores_share": "mean"}
    means = customers.groupby(active.to_numpy()).agg(how).rename_axis("cluster_id").reset_index()
    return means.assign(slug=slug, label=rubro.label)


def _demographics(features: pd.DataFrame, seats: pd.Series, min_customers: int) -> pd.DataFrame:
    """One row per segment, attribute and value; none for attributes that nobody has.

    Returns:
        `cluster_id, attribute, value, clientes, share` (of the segment's customers). Every row
        stands for `min_customers` or more; smaller segments are left out.
    """
    sizes = seats.groupby(seats).size()
    large = seats[seats.isin(sizes.index[sizes >= min_customers])]
    found = [name for name in ATTRIBUTES if name in features and features[name].notna().any()]
    parts = [
        _cells(large, _values(features[name].iloc[large.index], name), name, min_customers)
        for name in found
    ]
    nothing = _cells(large[:0], pd.Series(dtype="str"), "", min_customers)
    table = pd.concat(parts or [nothing], ignore_index=True)
    return table.sort_values("cluster_id", key=inactive_last, kind="stable", ignore_index=True)


def _values(column: pd.Series, attribute: str) -> pd.Series:
    """A demographic attribute as text."""
    if attribute == "edad":
        bands = pd.cut(column, list(AGE_EDGES), right=False, labels=list(AGE_BANDS))
        return bands.astype("str").fillna(MISSING)
    if pd.api.types.is_numeric_dtype(column):
        return column.map("{:g}".format, na_action="ignore").astype("str").fillna(MISSING)
    return column.astype("str").fillna(MISSING)


def _cells(seats: pd.Series, values: pd.Series, attribute: str, min_customers: int) -> pd.DataFrame:
    """One row per segment and value of one attribute."""
    keys = pd.DataFrame({"cluster_id": seats.to_numpy(), "value": values.to_numpy()})
    counts = keys.groupby(["cluster_id", "value"], as_index=False).agg(clientes=("value", "size"))
    shown = _pooled(counts, min_customers)
    whole = shown.groupby("cluster_id")["clientes"].transform("sum")
    places = shown["value"].map(_PLACES).fillna(0)
    table = shown.assign(attribute=attribute, share=shown["clientes"] / whole, place=places)
    ordered = table.sort_values(["cluster_id", "place", "value"], ignore_index=True)
    return ordered[["cluster_id", "attribute", "value", "clientes", "share"]]


def _pooled(counts: pd.DataFrame, min_customers: int) -> pd.DataFrame:
    """The counts, rare values together with the next rare.

    Leaving a rare value out does not hide it: its size would be what the others lack to the
    segment's. So the rarest are pooled until they are many enough to show.
    """
    cells = counts.sort_values(["cluster_id", "clientes", "value"])
    sizes = cells.groupby("cluster_id")["clientes"]
    some_rare = sizes.transform("min") < min_customers
    too_few_before = sizes.cumsum() - cells["clientes"] < min_customers
    rare = (cells["clientes"] < min_customers) | (some_rare & too_few_before)
    pooled = cells.assign(value=cells["value"].mask(rare, POOLED))
    return pooled.groupby(["cluster_id", "value"], as_index=False).agg(clientes=("clientes", "sum"))


_PLACES = {word: place for place, word in enumerate((*AGE_BANDS, POOLED, MISSING), start=1)}
"""Where a value stands when text does not sort as people read it; other values come first."""
