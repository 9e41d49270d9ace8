from dataclasses import replace

import pandas as pd
import pytest

from clientela.features.segment_columns import SegmentFeatureParams
from clientela.pipelines.segmentation.report_data import (
    build_report_summary,
    find_distinctive_rubros,
)


@pytest.fixture
def report(make_report):
    return make_report()


def test_what_speaks_against_the_segments_stands_first_then_who_they_are_then_migration(report):
    lines = build_report_summary(report)
    assert lines[:2] == tuple(report.choice["sentences"])
    names = report.profile["segments"]["cluster_nombre"]
    assert [line.split(":")[0] for line in lines[2:-1]] == names.tolist()
    assert lines[-1] == report.migration["sentence"]


def test_segments_come_by_id_and_inactive_customers_last_in_whatever_order_they_were_stored(report):
    shuffled = report.profile["segments"].sample(frac=1, random_state=4)
    stored = {**report.profile, "segments": shuffled}
    assert build_report_summary(replace(report, profile=stored)) == build_report_summary(report)


def test_a_segment_is_told_by_the_rubro_that_sets_it_apart(report):
    rubros = pd.DataFrame(
        {
            "cluster_id": [0, 0, 1, 1, 2, 2],
            "slug": ["supermercado", "farmacia"] * 3,
            "label": ["Supermercado", "Farmacia"] * 3,
            "participacion": [0.6, 0.4, 0.9, 0.1, 0.72, 0.28],
            "lift": [0.75, 2.0, 1.125, 0.5, 1.02, 0.99],
        }
    )
    lines = build_report_summary(replace(report, profile={**report.profile, "rubros": rubros}))
    assert "ponen en Farmacia el 40,0 % de lo que gastan, 2,0 veces la parte" in lines[2]
    assert "ponen en Supermercado el 90,0 % de lo que gastan, 1,1 veces" in lines[3]
    assert lines[4].endswith("gastan como el conjunto, ningún rubro destaca.")


def test_inactive_customers_are_told_by_what_they_lack(report):
    assert build_report_summary(report)[-2].endswith(
        "menos de 5 compras en los 12 meses hasta el 2024-06-30: no se agrupan."
    )


def test_rubros_come_by_their_term_of_the_divergence_and_then_by_slug():
    rubros = pd.DataFrame(
        {
            "cluster_id": [1, 1, 1, 1, 0, -1],
            "slug": ["viajes", "ropa", "libros", "hogar", "ropa", "ropa"],
            "participacion": [0.1, 0.2, 0.2, 0.5, 1.0, 1.0],
            "lift": [9.0, 1.5, 1.5, 0.9, 1.0, 2.0],
        }
    )
    told = find_distinctive_rubros(rubros.sample(frac=1, random_state=1))
    assert told[["cluster_id", "slug"]].to_numpy().tolist() == [
        [0, "ropa"], [1, "viajes"], [1, "libros"], [1, "ropa"],
    ]  # fmt: skip


def test_the_window_is_the_one_that_features_saw(report):
    everything = replace(report, features=SegmentFeatureParams(window_months=None))
    assert report.window == "en los 12 meses hasta el 2024-06-30"
    assert everything.window == "en toda la historia hasta el 2024-06-30"
