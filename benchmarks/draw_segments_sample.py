"""Draws what a weekly retrain of segments reads: features per customer, and last week's model.

Called as `draw_segments_sample.py <rows> <features> <last week's customers> <last week's model>`.
The features have every column of the stage for 14 rubros and two categoricals, so that memory is
that of a real run. Customers mix five tastes, with so much noise that their segments touch.
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from clientela.features.rubros import list_rubro_feature_columns
from clientela.features.segment_columns import (
    ClusteringParams,
    ColumnLayout,
    Rubro,
    SegmentationParams,
)
from clientela.models.segment_model import fit_segmentation
from segment_task import KEY, RUBROS, SEED, SHARES, K

ROWS_PER_CHUNK = 100_000
FAVOURITES = ((0, 12), (1, 7), (2, 8), (4, 9), (5, 3))
"""The rubros that each of the five tastes prefers."""

BASE, FAVOURED = 0.25, 1.5
"""Concentrations of the Dirichlet distribution that shares are drawn from."""

WEEKLY = 0.05
"""Standard deviation of the logarithm by which a share moves in a week."""

PURCHASES = 14
"""Mean number of purchases: one customer in a hundred is below the minimum activity."""

LAYOUT = ColumnLayout(
    fecha_modelo=date(2024, 6, 30),
    rubros=tuple(Rubro(slug=slug, label=slug.capitalize(), members=(slug,)) for slug in RUBROS),
    categoricals={
        "canal": {value: value for value in ("app", "web", "tienda")},
        "ciudad": {value: value for value in ("bogota", "cali", "lima", "quito", "salta")},
    },
)


def main(rows: int, features: Path, customers: Path, model: Path) -> None:
    """Writes the features of this week, and who was in which segment of last week's model.

    Args:
        rows: How many customers.
        features: Where this week's features go.
        customers: Where last week's segments of the customers go.
        model: Where last week's model goes.
    """
    starts = range(0, rows, ROWS_PER_CHUNK)
    with pq.ParquetWriter(features, _schema()) as writer:
        for start in track(starts, features.stem, console=Console(stderr=True)):
            chunk = drawn(start, min(rows, start + ROWS_PER_CHUNK))
            writer.write_table(pa.Table.from_pandas(chunk, _schema(), preserve_index=False))
    before = _a_week_before(features)
    params = SegmentationParams(clustering=ClusteringParams(n_init=1, k=K))
    made = fit_segmentation(before, LAYOUT, K, None, params)
    made.members[[KEY, "cluster_id"]].to_parquet(customers, index=False)
    model.write_text(made.identity.model_dump_json(), encoding="utf-8")


def drawn(start: int, stop: int) -> pd.DataFrame:
    """One row per customer with every column of `customer_features`.

    Args:
        start: Number of the first customer.
        stop: Number after that of the last one.

    Returns:
        Columns that no variant computes with are plain noise.
    """
    rng = np.random.default_rng([SEED, start])
    count = stop - start
    columns: dict[str, np.ndarray | list[str]] = {KEY: [f"{i:09d}" for i in range(start, stop)]}
    columns |= {name: rng.random(count) for name in list_rubro_feature_columns(LAYOUT)}
    columns["num_tx"] = rng.poisson(PURCHASES, count).astype("float64")
    columns |= dict(zip(SHARES, _shares(rng, count).T, strict=True))
    columns["rubro_top"] = list(rng.choice(list(LAYOUT.labels.values()), count))
    columns["edad"] = rng.integers(18, 90, count).astype("float64")
    columns["genero"] = list(rng.choice(["F", "M"], count))
    columns["estrato_social"] = rng.integers(1, 7, count).astype("float64")
    return pd.DataFrame(columns)


def _shares(rng: np.random.Generator, count: int) -> np.ndarray:
    """Customers x rubros: shares of spend, each customer with one taste of the five."""
    concentrations = np.full((len(FAVOURITES), len(RUBROS)), BASE)
    for taste, favourites in enumerate(FAVOURITES):
        concentrations[taste, list(favourites)] = FAVOURED
    tastes = rng.choice(len(FAVOURITES), count, p=_falling(len(FAVOURITES)))
    weights = rng.standard_gamma(concentrations[tastes])
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _falling(count: int) -> np.ndarray:
    """Shares of groups that differ in size, so that their order by size is certain."""
    sizes = np.arange(count, 0, -1) + count
    return np.asarray(sizes / sizes.sum())


def _a_week_before(features: Path) -> pd.DataFrame:
    """What last week's model read: the same customers, their shares a little different."""
    columns = [KEY, "num_tx", *SHARES]
    now = pd.read_parquet(features, columns=columns)
    shares = now[SHARES].to_numpy()
    moved = shares * np.random.default_rng(SEED).lognormal(0.0, WEEKLY, shares.shape)
    before = moved / moved.sum(axis=1, keepdims=True)
    return now.assign(**dict(zip(SHARES, before.T, strict=True)))


def _schema() -> pa.Schema:
    texts = (KEY, "rubro_top", "genero")
    columns = (
        KEY,
        *list_rubro_feature_columns(LAYOUT),
        "rubro_top",
        "edad",
        "genero",
        "estrato_social",
    )
    return pa.schema([(c, pa.string() if c in texts else pa.float64()) for c in columns])


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(Path, sys.argv[2:]))
