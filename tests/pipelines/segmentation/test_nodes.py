"""What holds of the segments of any purchases."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.segments.tables import FECHA_MODELO, LAYOUT, Data, Person, Shop, Tx

from clientela.features.segment_columns import (
    ClusteringParams,
    SegmentationParams,
    SegmentFeatureParams,
)
from clientela.models.segmentation import SegmentIdentity
from clientela.pipelines.feature_engineering import nodes as feature_nodes
from clientela.pipelines.scoring import nodes as scoring_nodes
from clientela.pipelines.segmentation import nodes

LAYOUT_JSON = LAYOUT.model_dump(mode="json")
PARAMS = SegmentationParams(clustering=ClusteringParams(minimum_transactions=3, n_init=2))
FEATURES = feature_nodes.compute_rubro_features(
    Shop.transactions, Shop.customers, LAYOUT_JSON, SegmentFeatureParams()
)
# purchases per rubro of each customer
baskets = st.lists(st.tuples(*[st.integers(0, 5)] * len(LAYOUT.rubros)), min_size=5, max_size=12)
numbers_of_segments = st.integers(2, 3)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def data_of(baskets: list[tuple[int, ...]]) -> Data:
    noon = datetime.combine(FECHA_MODELO, time(12))
    rows = [
        Tx(f"c{customer:02d}", noon - timedelta(days=place), rubro.members[0], Decimal(5 + place))
        for customer, bought in enumerate(baskets)
        for rubro, times in zip(LAYOUT.rubros, bought, strict=True)
        for place in range(times)
    ]
    return Data(rows, [Person("never")])


def features_of(shop: Shop, data: Data) -> pd.DataFrame:
    return shop.frame(FEATURES, data, ["id_cliente"])


def active(features: pd.DataFrame) -> pd.Series:
    return features["num_tx"] >= PARAMS.clustering.minimum_transactions


def differ(features: pd.DataFrame) -> int:
    shares = [f"participacion_{slug}" for slug in LAYOUT.slugs]
    return len(features.loc[active(features), shares].drop_duplicates())


def export_of(features: pd.DataFrame, k: int) -> tuple[dict[int, str], pd.DataFrame]:
    """Names by id, and the export of a first model."""
    model, identity, _, members = nodes.fit_segments(
        features, LAYOUT_JSON, {"k": k}, {}, {}, PARAMS
    )
    export = scoring_nodes.build_segment_export(model, features, members, PARAMS)
    assert export["cluster_id"].tolist() == members["cluster_id"].tolist()
    return SegmentIdentity.model_validate(identity).names, export


@settings(max_examples=10)
@given(baskets, numbers_of_segments)
def test_every_customer_is_in_one_segment_with_a_name_of_its_own_and_scores_from_0_to_1(
    shop: Shop, drawn: list[tuple[int, ...]], k: int
) -> None:
    features = features_of(shop, data_of(drawn))
    assume(differ(features) >= k)
    names, export = export_of(features, k)
    assert export["dni"].tolist() == features["id_cliente"].tolist()
    assert (export["cluster_id"] >= 0).tolist() == active(features).tolist()
    known = {**names, -1: "Sin actividad"}
    assert export["cluster_nombre"].tolist() == export["cluster_id"].map(known).tolist()
    assert len(set(known.values())) == len(known) == k + 1
    scores = export[["score_farmacia", "score_ropa"]]
    assert scores.ge(0).all(axis=None)
    assert scores.le(1).all(axis=None)
    without = export["rubro_top"].isna()
    assert (scores[without] == 0).all(axis=None)
    bought = features.set_index("id_cliente")["num_tx"].reindex(export["dni"]) > 0
    assert (without.to_numpy() == ~bought.to_numpy()).all()


@settings(max_examples=6)
@given(baskets, numbers_of_segments, st.randoms(use_true_random=False))
def test_the_order_of_purchases_never_changes_the_export(
    shop: Shop, drawn: list[tuple[int, ...]], k: int, random: Random
) -> None:
    data = data_of(drawn)
    features = features_of(shop, data)
    assume(differ(features) >= k)
    shuffled = Data(random.sample(data.transactions, len(data.transactions)), data.people)
    _, export = export_of(features, k)
    _, again = export_of(features_of(shop, shuffled), k)
    pd.testing.assert_frame_equal(again, export)
