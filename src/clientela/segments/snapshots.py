"""What a run needs of the runs before it, from snapshots by date."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from clientela.segments.assignment import KEY
from clientela.segments.identity import Identity

DATE_LENGTH = len("2024-06-30")

Snapshots = Mapping[str, Callable[[], Any]]


def latest_before(snapshots: Snapshots, day: date) -> str | None:
    """The newest snapshot of an earlier date, so that a rerun of a date reproduces itself.

    Args:
        snapshots: Keyed by text that ends in an ISO date.
        day: The date of this run.

    Returns:
        Its key; None where there is none.
    """
    earlier = [key for key in snapshots if key[-DATE_LENGTH:] < day.isoformat()]
    return max(earlier, key=lambda key: key[-DATE_LENGTH:], default=None)


def previous_identity(snapshots: Snapshots, day: date) -> Identity | None:
    """The model before a date.

    Args:
        snapshots: Stored identities by date.
        day: The date of this run.

    Returns:
        The model; None for a first one.
    """
    key = latest_before(snapshots, day)
    return None if key is None else Identity.model_validate(snapshots[key]())


def members_of(exports: Snapshots, day: date | None) -> pd.DataFrame | None:
    """Who was in which segment of a model.

    Args:
        exports: Stored exports by date.
        day: Date of the model; None for no model.

    Returns:
        `id_cliente` (PII), `cluster_id`; None where that model was never exported.
    """
    keys = [key for key in exports if day is not None and key.endswith(day.isoformat())]
    if not keys:
        return None
    exported: pd.DataFrame = exports[keys[0]]()
    return exported[["dni", "cluster_id"]].rename(columns={"dni": KEY})
