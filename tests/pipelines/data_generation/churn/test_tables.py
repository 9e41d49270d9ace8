import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from clientela.pipelines.data_generation.churn import (
    ChurnSimulation,
    simulate_churn_truth,
    simulate_visitors,
    simulate_wifi,
)


def test_the_default_ceiling_is_the_stated_one():
    report = simulate_wifi(ChurnSimulation())[2]
    assert report["ceiling_roc_auc"] == pytest.approx(0.8132, abs=0.001)
    assert report["truth_roc_auc"] == pytest.approx(report["ceiling_roc_auc"], abs=0.003)
    assert report["expected_churn"] == pytest.approx(0.27, abs=0.005)
    assert (report["users"], report["lines"], report["dirt"]) == (100_000, 100_000, {})


def test_the_stored_truth_gives_the_reported_figures(visitors, truth):
    report = simulate_wifi(ChurnSimulation())[2]
    left = visitors.set_index("user_id")["churn"].eq("Yes")
    probability = truth.set_index("user_id")["churn_probability"].reindex(left.index)
    assert roc_auc_score(left, probability) == pytest.approx(report["truth_roc_auc"], abs=1e-4)
    assert left.mean() == pytest.approx(report["churn"], abs=1e-4)


def test_the_truth_is_calibrated(visitors, truth):
    left = visitors["churn"].eq("Yes").to_numpy()
    for part in np.array_split(np.argsort(truth["churn_probability"], kind="stable"), 10):
        expected = truth["churn_probability"].iloc[part].mean()
        assert left[part].mean() == pytest.approx(expected, abs=0.015)


def test_the_truth_stands_in_its_own_table_alone(visitors, truth):
    assert list(truth) == ["user_id", "churn_probability"]
    assert "churn_probability" not in visitors
    assert truth["user_id"].equals(visitors["user_id"])


@pytest.mark.parametrize("change", [{"derived_columns": False}, {"one_hot": True}])
def test_the_form_changes_neither_people_nor_outcomes(change):
    simulation = ChurnSimulation(rows=1_000)
    usual = pa.concat_tables(simulate_visitors(simulation).tables())
    other = pa.concat_tables(simulate_visitors(simulation.model_copy(update=change)).tables())
    shared = [name for name in usual.column_names if name in other.column_names]
    assert {"user_id", "visits", "complaints", "churn"} <= set(shared)
    assert usual.select(shared).equals(other.select(shared))


def test_cutting_the_table_otherwise_keeps_its_ids():
    ids = [
        pa.concat_tables(simulate_churn_truth(simulation).tables())["user_id"].to_pylist()
        for simulation in (
            ChurnSimulation(rows=3_000),
            ChurnSimulation(rows=3_000, chunk_rows=1_000),
        )
    ]
    assert ids[0] == ids[1]
