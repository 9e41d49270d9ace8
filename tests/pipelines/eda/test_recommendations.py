import pandas as pd
import pytest

from clientela.pipelines.eda.association import EdaParameters, rank_associations
from clientela.pipelines.eda.findings import (
    build_recommendations,
    check_class_imbalance,
    find_correlated_pairs,
    find_suspicious_columns,
)


@pytest.fixture
def found(profile, parameters):
    return {(item.kind, item.column): item for item in build_recommendations(profile, parameters)}


def test_each_fault_of_a_column_is_named_once(found):
    assert set(found) == {
        ("missing", "edad"),
        ("constant", "fijo"),
        ("near_constant", "casi_fijo"),
        ("skewed", "total_gasto"),
        ("skewed", "gasto_doble"),
        ("skewed", "saldo"),
        ("heavy_tailed", "total_gasto"),
        ("heavy_tailed", "gasto_doble"),
        ("heavy_tailed", "saldo"),
    }


def test_a_long_tail_asks_for_a_logarithm_unless_it_exists_or_cannot_be(found):
    assert "log1p" in found["skewed", "gasto_doble"].text
    assert "ya existe «log_total_gasto»" in found["skewed", "total_gasto"].text
    assert "recortar" in found["skewed", "saldo"].text


def test_heavy_tails_ask_for_a_check_of_the_range_with_the_figures_behind_it(found, profile):
    item = found["heavy_tailed", "gasto_doble"]
    row = profile.numbers.set_index("column").loc["gasto_doble"]
    assert item.value == pytest.approx(row["kurtosis"], rel=1e-5)
    assert "validar su rango" in item.text


def test_the_figure_behind_an_advice_is_kept(found):
    assert found["missing", "edad"].value == 0.5
    assert "50,0 %" in found["missing", "edad"].text
    assert found["near_constant", "casi_fijo"].value == 0.995


def test_columns_that_say_the_same_are_paired(target_frames, parameters):
    pairs = find_correlated_pairs(target_frames["correlations"], parameters)
    assert [(item.kind, item.column) for item in pairs] == [
        ("duplicate", "total_gasto ~ gasto_doble")
    ]


def test_a_column_that_is_the_target_in_disguise_is_suspected(target_frames, parameters):
    classes = ("sin_compra", "baja", "media", "alta")
    suspects = find_suspicious_columns(
        rank_associations(target_frames["bins"], classes), parameters
    )
    assert [item.column for item in suspects] == ["puntaje"]


def test_imbalance_compares_the_largest_class_with_the_smallest(parameters):
    (item,) = check_class_imbalance([5, 50, 10], ["a", "b", "c"], parameters)
    assert (item.column, item.value) == ("a", 10.0)
    assert check_class_imbalance([0, 5], ["a", "b"], parameters) == []
    assert check_class_imbalance([], [], parameters) == []


def test_thresholds_decide(profile):
    lenient = EdaParameters(
        missing_above=0.6, skewed_above=1000, heavy_tailed_above=1e6, constant_above=1
    )
    kinds = [item.kind for item in build_recommendations(profile, lenient)]
    assert kinds == ["constant"]


def test_a_table_without_rows_asks_for_nothing(profile, parameters):
    empty = profile.columns.assign(rows=0, missing=0, present=0, skewness=float("nan"))
    nothing = type(profile)("t", empty, None, pd.DataFrame(), pd.DataFrame())
    assert build_recommendations(nothing, parameters) == []
