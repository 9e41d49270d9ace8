"""Bare scikit-learn and our segments place everybody alike, on a size at which it takes seconds."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROWS = 1500
PAIRS = [
    ("bare_kmeans", "clientela_segments"),
    ("bare_kmeans", "clientela_segments_whole_table"),
    ("bare_kmeans_one_start", "clientela_segments_one_start"),
    ("bare_kmeans_warm", "clientela_segments_warm"),
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    import draw_segments_sample
    from segment_registry import segments_sample

    sample = segments_sample(tmp_path_factory.mktemp("sample"), ROWS)
    draw_segments_sample.main(ROWS, *sample.places)
    return sample.places


def result(variant: str, places: tuple[Path, ...], folder: Path) -> Path:
    module = importlib.import_module(f"variants.{variant}")
    module.written(module.found(module.loaded(*places)), folder / variant)
    return folder / variant


@pytest.mark.parametrize(("bare", "ours"), PAIRS)
def test_each_pair_places_the_active_customers_alike(
    bare: str, ours: str, places: tuple[Path, ...], tmp_path: Path
) -> None:
    expected, found = (pd.read_parquet(result(name, places, tmp_path)) for name in (bare, ours))

    active = pd.read_parquet(places[0]).query("num_tx >= 5")["id_cliente"]
    assert expected["id_cliente"].tolist() == found["id_cliente"].tolist() == active.tolist()
    assert (expected["cluster"] == found["cluster"]).mean() > 0.999
    assert expected["cluster"].nunique() == 5


def test_features_have_every_column_of_the_stage(places: tuple[Path, ...]) -> None:
    from clientela.features.rubros import list_rubro_feature_columns
    from draw_segments_sample import LAYOUT

    features = pd.read_parquet(places[0])
    expected = [
        "id_cliente", *list_rubro_feature_columns(LAYOUT), "rubro_top",
        "edad", "genero", "estrato_social",
    ]  # fmt: skip
    assert list(features) == expected
    shares = features[[f"participacion_{slug}" for slug in LAYOUT.slugs]]
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert features["id_cliente"].is_monotonic_increasing
    assert features["id_cliente"].is_unique


def test_a_chunk_of_customers_is_drawn_alike_again() -> None:
    from draw_segments_sample import drawn

    pd.testing.assert_frame_equal(drawn(100, 150), drawn(100, 150))


def test_clusters_are_numbered_as_customers_meet_them(tmp_path: Path) -> None:
    from segment_task import Placement, written

    written(Placement(pd.Series(["a", "b", "c", "d"]), np.array([7, 2, 7, 0])), tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out")["cluster"].tolist() == [0, 1, 0, 2]


def test_few_customers_on_a_border_are_no_difference(tmp_path: Path) -> None:
    from agreement import differences

    keys = [f"{place:05d}" for place in range(20_000)]
    right = pd.DataFrame({"id_cliente": keys, "cluster": 0})
    right.to_parquet(tmp_path / "right")
    for moved, said in ((2, []), (3, ["cluster: 3 rows differ"])):
        right.assign(cluster=[1] * moved + [0] * (20_000 - moved)).to_parquet(tmp_path / "found")
        assert differences(tmp_path / "right", tmp_path / "found") == said
