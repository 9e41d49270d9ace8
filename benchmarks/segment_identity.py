"""How many customers keep the id of their segment when a model is trained again.

`python benchmarks/segment_identity.py` reads the features of customer_segments through the catalog
(`--conf-source` and `--env` as for `kedro run`; the stages ingestion and feature_engineering have
to have run), makes a first model of everybody, and twenty times trains again on 95 % of them. Ids
that nobody ever leaves would be easy to have: so some customers also exchange what they bought, and
it is counted how many of them are moved.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from rich.console import Console
from rich.progress import track
from rich.table import Table

from clientela.features.segment_columns import (
    KEY,
    ClusteringParams,
    ColumnLayout,
    SegmentationParams,
)
from clientela.models.segment_model import PreviousModel, Segmentation, fit_segmentation
from clientela.models.segmentation import SIN_ACTIVIDAD

PROJECT = Path(__file__).parents[1]
USE_CASE = "customer_segments"
SHARE = 0.95
EXCHANGED = 0.05

CONFIGURED = "same id, as configured: warm start, margin"
NEAREST = "same id, warm start, no margin"
MATCHED = "same id, cold, ids matched (Hungarian)"
NAIVE = "same id, cold, ids as they come"
FOLLOWED = "changed customers moved, as configured"
FOLLOWED_NEAREST = "changed customers moved, no margin"


def main(arguments: Sequence[str]) -> None:
    """Prints the shares who keep their id.

    Args:
        arguments: The command line without the program's name.
    """
    options = asked(arguments)
    features, layout, params = stored(options.conf_source, options.env)
    draws, no_margin = range(options.draws), params.model_copy(update={"switch_margin": 0.0})
    for k in options.k:
        base = trained(features, layout, k, None, params)
        shares = []
        for draw in track(draws, f"k = {k}", console=Console(stderr=True)):
            sample = drawn(features, draw)
            followed = {
                way: followed_share(sample, draw, layout, base, margin)
                for way, margin in ((FOLLOWED, params), (FOLLOWED_NEAREST, no_margin))
            }
            shares.append(kept_shares(sample, layout, base, params) | followed)
        Console().print(shown(f"k = {k}, {len(features):,} customers, {len(draws)} draws", shares))


def asked(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for.

    Args:
        arguments: Without the program's name.

    Returns:
        `conf_source`, `env`, `k`, `draws`.
    """
    parser = argparse.ArgumentParser(description="Who keeps their segment in a retrain.")
    parser.add_argument("--conf-source", default=None, help="a folder instead of conf")
    parser.add_argument("--env", default=None)
    parser.add_argument("--k", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--draws", type=int, default=20)
    return parser.parse_args(arguments)


def stored(
    conf_source: str | None, env: str | None
) -> tuple[pd.DataFrame, ColumnLayout, ClusteringParams]:
    """What the segmentation stage would read.

    Args:
        conf_source: A folder instead of `conf`.
        env: A Kedro environment.

    Returns:
        One row per customer (PII); the columns there are; the configured clustering.
    """
    bootstrap_project(PROJECT)
    with KedroSession.create(
        project_path=PROJECT, env=env, conf_source=conf_source, save_on_close=False
    ) as session:
        catalog = session.load_context().catalog
        layout, features, params = (
            catalog.load(f"{prefix}{USE_CASE}.{name}")
            for prefix, name in (
                ("", "layout"),
                ("", "clustering_input"),
                ("params:", "segmentation"),
            )
        )
    configured = SegmentationParams.model_validate(params).clustering
    return features, ColumnLayout.model_validate(layout), configured


def drawn(features: pd.DataFrame, draw: int) -> pd.DataFrame:
    """95 % of the customers, in order of their key.

    Args:
        features: One row per customer (PII), in order of their key.
        draw: Which draw.

    Returns:
        Their rows.
    """
    rows = np.random.default_rng(draw).choice(
        len(features), round(SHARE * len(features)), replace=False
    )
    return features.iloc[np.sort(rows)].reset_index(drop=True)


def trained(
    features: pd.DataFrame,
    layout: ColumnLayout,
    k: int,
    previous: PreviousModel | None,
    params: ClusteringParams,
) -> Segmentation:
    """A model with the parameters of clustering; names are the business of the data.

    Args:
        features: One row per customer (PII).
        layout: Which columns there are.
        k: How many segments.
        previous: The model to continue; None for a first one.
        params: How customers become segments.

    Returns:
        See `segmentation`.
    """
    return fit_segmentation(features, layout, k, previous, SegmentationParams(clustering=params))


def kept_shares(
    features: pd.DataFrame, layout: ColumnLayout, base: Segmentation, params: ClusteringParams
) -> dict[str, float]:
    """The share of active customers who keep their id, by way to train again.

    Args:
        features: One row per customer who was drawn (PII).
        layout: Which columns there are.
        base: The model of everybody.
        params: As configured.

    Returns:
        A share for each way.
    """
    ways: Mapping[str, Mapping[str, Any]] = {
        CONFIGURED: {},
        NEAREST: {"switch_margin": 0.0},
        MATCHED: {"switch_margin": 0.0, "start": "cold"},
    }
    previous, k = PreviousModel(base.identity, base.members), len(base.identity.ids)
    again = {
        way: trained(features, layout, k, previous, params.model_copy(update=dict(changes)))
        for way, changes in ways.items()
    }
    shares = {way: kept_share(ids(base), ids(made)) for way, made in again.items()}
    return shares | {NAIVE: kept_share(positions(base), positions(again[MATCHED]))}


def followed_share(
    features: pd.DataFrame,
    draw: int,
    layout: ColumnLayout,
    base: Segmentation,
    params: ClusteringParams,
) -> float:
    """How many customers who really changed are moved, where 5 % exchange what they bought.

    Args:
        features: One row per customer who was drawn (PII).
        draw: Which draw.
        layout: Which columns there are.
        base: The model of everybody.
        params: As configured.

    Returns:
        Of those whose new purchases are of another segment, the share that is in it afterwards.
    """
    rng = np.random.default_rng([draw, 1])
    rows = rng.choice(len(features), round(EXCHANGED * len(features)), replace=False)
    givers = np.roll(rows, 1)
    order = np.arange(len(features))
    order[rows] = givers
    exchanged = features.iloc[order].assign(**{KEY: features[KEY].to_numpy()})
    previous = PreviousModel(base.identity, base.members)
    made = trained(
        exchanged.reset_index(drop=True), layout, len(base.identity.ids), previous, params
    )
    keys, segments = features[KEY].to_numpy(), base.members.set_index(KEY)["cluster_id"]
    table = pd.DataFrame(
        {
            "own": segments.reindex(keys[rows]).to_numpy(),
            "new": segments.reindex(keys[givers]).to_numpy(),
            "found": ids(made).reindex(keys[rows]).to_numpy(),
        }
    )
    moved = table[(table["own"] != table["new"]) & (table["new"] != SIN_ACTIVIDAD)]
    return float((moved["found"] == moved["new"]).mean())


def ids(made: Segmentation) -> pd.Series:
    """The segment of each active customer, by key.

    Args:
        made: A model.

    Returns:
        Ids.
    """
    members = made.members.set_index(KEY)["cluster_id"]
    return members[members != SIN_ACTIVIDAD]


def positions(made: Segmentation) -> pd.Series:
    """The number that scikit-learn gave the cluster of each active customer, by key.

    Args:
        made: A model without a margin, or a first one.

    Returns:
        Positions.
    """
    return ids(made).map({segment: place for place, segment in enumerate(made.identity.ids)})


def kept_share(before: pd.Series, after: pd.Series) -> float:
    """How many of those who are in both have the same number.

    Args:
        before: Numbers of the first model.
        after: Numbers of the next one.

    Returns:
        A share, 0..1.
    """
    both = after.index.intersection(before.index)
    return float((before[both] == after[both]).mean())


def shown(title: str, shares: Sequence[Mapping[str, float]]) -> Table:
    """One row per way to train again.

    Args:
        title: What was measured.
        shares: One mapping per draw.

    Returns:
        A table to print.
    """
    table = Table(title=title)
    table.add_column("after training again")
    table.add_column("mean", justify="right")
    table.add_column("minimum", justify="right")
    for way, of_draws in pd.DataFrame(shares).items():
        table.add_row(str(way), f"{of_draws.mean():.2%}", f"{of_draws.min():.2%}")
    return table


if __name__ == "__main__":
    # cold refits begin and end segments in every other draw
    logging.getLogger("clientela").setLevel(logging.ERROR)
    main(sys.argv[1:])
