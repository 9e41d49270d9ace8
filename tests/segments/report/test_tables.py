from dataclasses import replace

import pandas as pd
import pytest

from clientela.features.segment_columns import SegmentReportParams
from clientela.pipelines.segmentation.report import build_segment_page
from clientela.reporting.page import Table
from clientela.reporting.style import make_empty_figure

FIGURES = dict.fromkeys(
    ("sizes", "scores", "elbow", "silhouette", "projection", "migration"), make_empty_figure("")
)


def tables(report):
    """Title to frame of every table on the page."""
    page = build_segment_page(report, FIGURES)
    blocks = [block for section in page.sections for block in section.blocks]
    return {block.title: block.frame for block in blocks if isinstance(block, Table)}


def demographics(report):
    found = tables(report)
    return [found[title] for title in ("Edad", "Género", "Estrato social") if title in found]


@pytest.fixture
def report(make_report):
    return make_report()


def test_segments_keep_their_order_and_their_id_is_text(report):
    frame = tables(report)["Tamaño, valor y actividad"]
    assert frame["Segmento"].tolist()[-1] == "Sin actividad"
    assert frame["Id"].tolist() == ["0", "1", "2", "-1"]


def test_each_segment_lists_no_more_rubros_than_asked_for_and_its_name_once(report):
    title, names = "Los rubros que distinguen a cada segmento", list(report.identity.names.values())
    few = replace(report, settings=SegmentReportParams(top_rubros=1))
    assert tables(few)[title]["Segmento"].tolist() == names
    segments = tables(report)[title]["Segmento"]
    assert segments[segments != ""].tolist() == names
    assert len(segments) <= 9


def test_ages_stand_by_size_and_words_after(report):
    age, gender, stratum = demographics(report)
    assert list(age.columns) == ["Segmento", "menos de 25", "25-34", "sin dato"]
    assert list(gender.columns) == ["Segmento", "F", "M"]
    assert list(stratum.columns) == ["Segmento", "2", "10"]
    assert age.iloc[0].tolist() == ["Supermercado", 0.3, 0.6, 0.1]


def test_a_cell_that_was_withheld_stays_empty(report):
    told = report.profile["demographics"]
    kept = told[(told["cluster_id"] != 1) | (told["value"] != "menos de 25")]
    age, *_ = demographics(replace(report, profile={**report.profile, "demographics": kept}))
    assert age["menos de 25"].isna().tolist() == [False, True, False]


def test_values_that_were_pooled_or_unknown_stand_behind_words_and_numbers(report):
    values = ["sin dato", "otros valores", "65 o más", "menos de 25", "25-34"]
    told = pd.DataFrame(
        {"cluster_id": 0, "attribute": "edad", "value": values, "clientes": 20, "share": 0.2}
    )
    profile = {**report.profile, "demographics": told}
    (age,) = demographics(replace(report, profile=profile))
    expected = ["menos de 25", "25-34", "65 o más", "otros valores", "sin dato"]
    assert list(age.columns) == ["Segmento", *expected]


def test_partial_membership_has_a_row_per_segment_and_a_dash_without_customers(report):
    empty = {"cluster_id": 2, "customers": 0, "agreement": None, "mean_highest": None,
             "unclear_share": None}  # fmt: skip
    soft = report.membership | {"segments": [*report.membership["segments"][:2], empty]}
    frame = tables(replace(report, membership=soft))["La mezcla, segmento por segmento"]
    assert frame["Segmento"].tolist() == ["Supermercado", "Farmacia", "Restaurantes"]
    assert frame["Sin segmento claro"].isna().tolist() == [False, False, True]


def test_without_demographics_there_are_no_tables(report):
    nothing = {**report.profile, "demographics": report.profile["demographics"].head(0)}
    assert demographics(replace(report, profile=nothing)) == []


def test_axes_say_what_lies_on_either_side(report):
    axes = pd.DataFrame(
        [
            (1, 0.5, "participacion_farmacia", 0.9),
            (1, 0.5, "participacion_ropa", -0.4),
            (1, 0.5, "participacion_hogar", -0.2),
            (2, 0.2, "participacion_hogar", 1.0),
        ],
        columns=["axis", "explained", "column", "weight"],
    )
    shuffled = {**report.projection, "axes": axes.sample(frac=1, random_state=5)}
    told = tables(replace(report, projection=shuffled))["Qué muestran los ejes"]
    assert told["Más a la derecha o arriba"].tolist() == [
        "Farmacia: parte del gasto", "Hogar: parte del gasto",
    ]  # fmt: skip
    assert told["Más a la izquierda o abajo"].fillna("").tolist() == [
        "Ropa: parte del gasto; Hogar: parte del gasto", "",
    ]  # fmt: skip


def test_every_number_of_segments_compared_has_a_row(report):
    assert (
        tables(report)["Los números de segmentos comparados"]["k"].tolist()
        == report.evaluation["k"].tolist()
    )
