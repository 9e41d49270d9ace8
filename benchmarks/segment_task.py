"""The task of the segments benchmark: which customers, how many clusters, how they are written."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

KEY = "id_cliente"
K = 5
SEED = 42
STARTS = 10
MOST_ROUNDS = 300
FEWEST_PURCHASES = 5
RUBROS = (
    "supermercado",
    "farmacia",
    "restaurantes",
    "tecnologia",
    "ropa",
    "hogar",
    "deportes",
    "belleza",
    "viajes",
    "mascotas",
    "jugueteria",
    "libreria",
    "combustible",
    "otros",
)
SHARES = [f"participacion_{slug}" for slug in RUBROS]


@dataclass(frozen=True)
class Placement:
    """Who is in which cluster.

    Attributes:
        keys: Customers.
        clusters: The cluster of each, under any number.
    """

    keys: pd.Series
    clusters: np.ndarray


def written(placement: Placement, output: Path) -> None:
    """Writes one row per customer, clusters numbered in the order in which customers meet them.

    Args:
        placement: Who is in which cluster, ordered by key.
        output: Where to write.
    """
    numbers, _ = pd.factorize(placement.clusters)
    pd.DataFrame({KEY: placement.keys.to_numpy(), "cluster": numbers}).to_parquet(output)
