import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from clientela.pipelines.eda.association import (
    compute_class_means,
    compute_correlations,
    count_classes,
    quintile_edges,
    rank_associations,
    target_bins,
    target_categories,
)
from clientela.pipelines.eda.column_profile import compute_quantiles

CLASSES = ("sin_compra", "baja", "alta")


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(7)
    x = generator.gamma(1.0, 10, 300).round(1)
    noise = generator.normal(size=300)
    codes = np.clip((x / 12 + noise / 2).round(), 0, 2).astype(int)
    return pd.DataFrame(
        {
            "gasto": x,
            "edad": np.where(generator.random(300) < 0.3, np.nan, generator.integers(18, 80, 300)),
            "fijo": 1.0,
            "genero": np.where(codes > 0, "F", "M"),
            "target": np.array(CLASSES)[codes],
            "code": codes,
        }
    )


def test_correlations_agree_with_pandas_over_pairwise_rows(frame):
    found = compute_correlations(ibis.memtable(frame), ["gasto", "edad", "fijo"]).execute()
    pearson = frame[["gasto", "edad"]].corr().loc["gasto", "edad"]
    assert found[["first", "second"]].to_numpy().tolist() == [
        ["gasto", "edad"],
        ["gasto", "fijo"],
        ["edad", "fijo"],
    ]
    assert found["correlation"][0] == pytest.approx(pearson, abs=1e-4)
    assert found["correlation"][1:].isna().all()


def test_fifths_that_one_value_fills_are_one_bin():
    named = {"q20": [0.0], "q40": [0.0], "q60": [0.0], "q80": [4.0]}
    assert quintile_edges(pd.DataFrame({"column": ["x"], **named})) == {"x": [0.0, 4.0]}


def test_beside_a_value_that_fills_nearly_all_fifths_the_tails_are_bins():
    named = {f"q{share}": [5.0] for share in ("20", "40", "60", "80", "95", "99")}
    frame = pd.DataFrame({"column": ["x"], "q01": [-3.0], "q05": [2.0], **named})
    assert quintile_edges(frame) == {"x": [-3.0, 2.0, 5.0]}


def bins_of(frame, column):
    table = ibis.memtable(frame)
    edges = quintile_edges(compute_quantiles(table, [column]).execute())
    return edges[column], target_bins(table, edges, "target", CLASSES).execute()


def test_bins_count_every_row_with_both_values_once(frame):
    edges, found = bins_of(frame, "edad")
    present = frame.dropna(subset=["edad"])
    expected = present.groupby(
        [np.searchsorted(edges, present["edad"], side="left"), "target"]
    ).size()
    counted = found.set_index(["bin", "class"])["rows"]
    assert counted.sort_index().to_dict() == expected.to_dict()


def test_association_of_a_column_agrees_with_scipy_and_sklearn(frame):
    edges, found = bins_of(frame, "gasto")
    (row,) = rank_associations(found, CLASSES).to_dict("records")
    binned = np.searchsorted(edges, frame["gasto"], side="left")
    table = pd.crosstab(binned, frame["code"])
    cramers = stats.contingency.association(table.to_numpy(), method="cramer")
    assert row["rank_correlation"] == pytest.approx(stats.spearmanr(binned, frame["code"])[0])
    assert row["auc"] == pytest.approx(roc_auc_score(frame["code"] > 0, binned))
    assert row["cramers_v"] == pytest.approx(cramers)


def test_associations_come_strongest_first_whatever_the_sign():
    counts = pd.DataFrame(
        {
            "column": ["a"] * 4 + ["b"] * 4,
            "bin": [0, 0, 1, 1] * 2,
            "class": ["baja", "alta"] * 4,
            "rows": [6, 4, 4, 6, 1, 9, 9, 1],
        }
    )
    found = rank_associations(counts, ("baja", "alta"))
    assert found["column"].tolist() == ["b", "a"]
    assert found["rank_correlation"][0] == pytest.approx(-0.8)
    assert found["auc"][0] == pytest.approx(0.9)


def test_a_target_of_one_class_has_no_association():
    counts = pd.DataFrame({"column": ["a"], "bin": [0], "class": ["baja"], "rows": [5]})
    assert rank_associations(counts, ("baja", "alta")).drop(columns="column").isna().all(axis=None)


def test_a_number_as_target_gives_its_mean_per_bin(frame):
    found = target_bins(ibis.memtable(frame), {"gasto": [10.0]}, "code", ()).execute()
    expected = frame.groupby(frame["gasto"] > 10)["code"].mean()
    assert found["target_mean"].tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    assert found["class"].isna().all()


def test_categories_with_few_rows_are_left_out_against_the_target(frame):
    rare = pd.concat([frame, frame.head(1).assign(genero="X")])
    found = target_categories(ibis.memtable(rare), ["genero"], "target", CLASSES, 5).execute()
    assert set(found["bin"]) == {"F", "M"}
    assert found["rows"].sum() == len(frame)


def test_classes_are_counted_and_their_means_agree_with_pandas(frame):
    table = ibis.memtable(frame)
    counts = count_classes(table, "target").execute().set_index("class")["rows"]
    assert counts.to_dict() == frame["target"].value_counts().to_dict()
    means = compute_class_means(table, ["gasto", "edad"], "target").execute()
    expected = frame.groupby("target")[["gasto", "edad"]].mean()
    for row in means.to_dict("records"):
        assert row["mean"] == pytest.approx(expected.loc[row["class"], row["column"]], rel=1e-6)


def test_without_columns_nothing_is_associated(frame):
    table = ibis.memtable(frame)
    assert rank_associations(target_bins(table, {}, "target", CLASSES).execute(), CLASSES).empty
    assert compute_correlations(table, ["gasto"]).execute().empty
