import ibis
import pandas as pd
import pytest
from tests.segments.shoppers import LAYOUT, RUBROS, customers

from clientela.exceptions import ModelFileError
from clientela.features.segment_columns import (
    ClusteringParams,
    MembershipParams,
    SegmentationParams,
)
from clientela.models.segment_model import build_stored_segmentation, fit_segmentation
from clientela.pipelines.scoring import nodes

BY_TOTALS = SegmentationParams(clustering=ClusteringParams(columns=("totales",)))
PARAMS = SegmentationParams()
EXPORTING = SegmentationParams(membership=MembershipParams(mode="export"))


def features():
    """Shoppers with the columns that an export needs beside those of the model."""
    shares = customers().set_index("id_cliente").filter(like="participacion_")
    scores = shares.rank(pct=True).rename(columns=lambda name: f"score_{name[14:]}")
    table = customers().assign(
        ticket_promedio=8.0,
        recencia_dias=range(len(shares)),
        rubros_distintos=4.0,
        rubro_top=shares.idxmax(axis=1).str[14:].str.capitalize().array,
    )
    return table.join(scores, on="id_cliente")


def made(params=PARAMS):
    return fit_segmentation(features(), LAYOUT, 3, None, params)


def stored(params=PARAMS):
    return build_stored_segmentation(made(params), features(), params)


def exported(rows, params=PARAMS):
    """The export of these customers with a model that was made of all shoppers."""
    return nodes.build_segment_export(stored(params), rows, made().members, params)


def test_every_customer_stands_in_the_export_once_in_the_order_of_dni():
    rows = features()
    export = exported(rows[::-1])
    assert export["dni"].tolist() == sorted(rows["id_cliente"])
    assert list(export.columns) == [
        "dni", "cluster_id", "cluster_nombre", "rubro_top",
        *(f"score_{rubro}" for rubro in RUBROS), "fecha_modelo",
    ]  # fmt: skip
    assert export.groupby("cluster_id")["cluster_nombre"].nunique().to_dict() == {0: 1, 1: 1, 2: 1}


def test_a_newcomer_is_placed_and_nobody_else_moves():
    rows = features()
    newcomer = rows[rows["rubro_top"] == "Farmacia"].head(1).assign(id_cliente="99999")
    export = exported(pd.concat([rows, newcomer]))
    before = exported(rows)
    assert export["cluster_nombre"].iloc[-1] == "Farmacia"
    pd.testing.assert_frame_equal(export.iloc[:-1], before)


def test_who_is_between_two_segments_stays_where_they_were():
    rows, members = features(), made().members
    moved = members.assign(cluster_id=(members["cluster_id"] + 1) % 3)
    near = members["cluster_id"].to_numpy()

    def segments(margin):
        params = SegmentationParams(clustering=ClusteringParams(switch_margin=margin))
        return nodes.build_segment_export(stored(), rows, moved, params)["cluster_id"].to_numpy()

    assert (segments(0.0) == near).all()
    assert (segments(0.99) == moved["cluster_id"].to_numpy()).mean() > (
        segments(0.05) == moved["cluster_id"].to_numpy()
    ).mean()


def test_an_export_reads_no_more_columns_than_it_needs():
    read = nodes.select_export_input(ibis.memtable(features()), stored())
    assert list(read.columns) == [
        "id_cliente", "num_tx", "gasto_total", "rubro_top",
        *(f"participacion_{rubro}" for rubro in RUBROS), *(f"score_{rubro}" for rubro in RUBROS),
    ]  # fmt: skip


def test_scores_that_are_gone_are_named_though_no_segment_was_made_from_them():
    gone = ibis.memtable(features().drop(columns="score_hogar"))
    with pytest.raises(ModelFileError, match=r"no longer have: score_hogar\. Run kedro run"):
        nodes.select_export_input(gone, stored(BY_TOTALS))
