"""Who changed segments since the previous model, so that a marketer knows how far ids hold."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.metrics import adjusted_rand_score

from clientela.features.segment_columns import KEY
from clientela.models.segment_profile import inactive_last_key
from clientela.models.segmentation import SIN_ACTIVIDAD, SegmentIdentity
from clientela.text import NumberFormat, round_significant

# Where customers come from whom the previous model did not know.
NEW = "Clientes nuevos"

# Where customers are gone who are no longer in the data.
LOST = "Ya no aparecen"

MATRIX = {
    "previous_id": "Int64",
    "previous_name": "str",
    "current_id": "Int64",
    "current_name": "str",
    "customers": "int64",
    "share": "float64",
}


def migration_matrix(
    members: pd.DataFrame,
    previous_members: pd.DataFrame | None,
    current: SegmentIdentity,
    previous: SegmentIdentity | None,
) -> pd.DataFrame:
    """One row per pair of previous and current segment that has customers.

    Args:
        previous_members: The same of the previous model; None for a first one.

    Returns:
        `previous_id` (missing for new customers), `previous_name, current_id` (missing for
        customers who are gone), `current_name, customers, share` (of the previous segment; missing
        for new customers); by id, `sin_actividad` behind the others. No rows on a first run.
    """
    if previous_members is None:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in MATRIX.items()})
    sides = {"previous_id": previous_members, "current_id": members}
    before, now = (
        side[[KEY, "cluster_id"]].rename(columns={"cluster_id": name}).astype({name: "Int64"})
        for name, side in sides.items()
    )
    pairs = before.merge(now, on=KEY, how="outer", validate="one_to_one")
    ids = list(sides)
    table = pairs.groupby(ids, dropna=False, as_index=False).agg(customers=(KEY, "size"))
    table = table.sort_values(ids, key=inactive_last_key, ignore_index=True)
    known = table["customers"].where(table["previous_id"].notna())
    whole = known.groupby(table["previous_id"], dropna=False).transform("sum")
    named = table.assign(
        previous_name=_name_segments(table["previous_id"], previous, NEW),
        current_name=_name_segments(table["current_id"], current, LOST),
        share=known / whole.where(table["previous_id"].notna()),
    )
    return named[list(MATRIX)].astype(MATRIX)


def _name_segments(ids: pd.Series, identity: SegmentIdentity | None, absent: str) -> list[str]:
    titles = {} if identity is None else identity.titles
    return [absent if pd.isna(segment) else titles[segment] for segment in ids]


def summarize_migration(
    matrix: pd.DataFrame,
    members: pd.DataFrame,
    current: SegmentIdentity,
    previous: SegmentIdentity | None,
    numbers: NumberFormat,
) -> dict[str, Any]:
    """How many customers kept their segment, which segments began and ended, in figures and words.

    Customers without activity in both models are left out of the shares: that they stay so says
    nothing about segments, and it would hide how many others moved.

    Args:
        previous: Those of the model before; None for a first one.

    Returns:
        `previous, current` (ISO dates), `compared` (customers of both models), `still_inactive`
        (those without activity in both), `changed_customers` and `same_segment_share` (of the
        other compared ones), `nearest_share` (the same without the switch margin),
        `adjusted_rand` (Hubert and Arabie 1985), `held_by_margin` (customers), `new_customers,
        lost_customers, births, deaths, renamed, sentence`. Shares of nobody are None.
    """
    was, now = matrix["previous_id"], matrix["current_id"]
    still = (was == SIN_ACTIVIDAD) & (now == SIN_ACTIVIDAD)

    def customers(rows: pd.Series) -> int:
        return int(matrix.loc[rows.fillna(value=False).astype(bool), "customers"].sum())

    names = current.names
    # nothing changes in a first model
    before = names if previous is None else {i: previous.names[i] for i in previous.ids}
    kept = sorted(set(names) & set(before))
    figures = {
        "previous": None if previous is None else previous.fecha_modelo.isoformat(),
        "current": current.fecha_modelo.isoformat(),
        "compared": customers(was.notna() & now.notna()),
        "still_inactive": customers(still),
        **_measure_segment_agreement(members),
        "held_by_margin": int((members["cluster_id"] != members["cluster_cercano"]).sum()),
        "new_customers": customers(was.isna()),
        "lost_customers": customers(now.isna()),
        "births": [{"id": i, "name": names[i]} for i in sorted(set(names) - set(before))],
        "deaths": [{"id": i, "name": before[i]} for i in sorted(set(before) - set(names))],
        "renamed": [
            {"id": i, "before": before[i], "name": names[i]} for i in kept if names[i] != before[i]
        ],
    }
    return {**figures, "sentence": _describe_migration(figures, numbers)}


def _measure_segment_agreement(members: pd.DataFrame) -> dict[str, Any]:
    """How far the previous and current segments of the same customers agree."""
    both = members[members["cluster_previo"].notna()].astype({"cluster_previo": "int64"})
    active = both[(both["cluster_previo"] != SIN_ACTIVIDAD) | (both["cluster_id"] != SIN_ACTIVIDAD)]
    was, now, near = (active[name] for name in ("cluster_previo", "cluster_id", "cluster_cercano"))
    somebody = len(active) > 0
    return {
        "changed_customers": int((was != now).sum()),
        "same_segment_share": round_significant((was == now).mean()) if somebody else None,
        "nearest_share": round_significant((was == near).mean()) if somebody else None,
        "adjusted_rand": round_significant(adjusted_rand_score(was, now)) if somebody else None,
    }


def _describe_migration(figures: Mapping[str, Any], numbers: NumberFormat) -> str:
    if figures["previous"] is None:
        return "Primer modelo: no hay uno anterior con el que comparar."
    same, nearest = figures["same_segment_share"], figures["nearest_share"]
    moved = f"Ningún cliente con actividad está también en el modelo del {figures['previous']}."
    if same is not None:
        # the share that moved comes first: it is the one a campaign suffers from
        base = figures["compared"] - figures["still_inactive"]
        moved = (
            f"El {numbers.percent(1 - same)} de los clientes comparados "
            f"({numbers.text(figures['changed_customers'])} de {numbers.text(base)}) cambió de "
            f"segmento desde el modelo del {figures['previous']}; sin el margen de permanencia "
            f"habría sido el {numbers.percent(1 - nearest)}. El {numbers.percent(same)} conserva "
            "el suyo."
        )
    new, lost = (numbers.text(figures[name]) for name in ("new_customers", "lost_customers"))
    parts = [moved, f"Clientes nuevos: {new}; ya no aparecen: {lost}."]
    for key, title in (("births", "Segmentos que nacen"), ("deaths", "Segmentos que terminan")):
        names = ", ".join(f"«{segment['name']}»" for segment in figures[key])
        parts += [f"{title}: {names}."] if names else []
    parts += [f"«{one['before']}» pasa a llamarse «{one['name']}»." for one in figures["renamed"]]
    return " ".join(parts)
