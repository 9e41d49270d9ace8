import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score
from tests.pipelines.data_generation.applications.conftest import LARGE

from clientela.pipelines.data_generation.applications import (
    FORM,
    ApplicationSimulation,
    simulate_application_truth,
    simulate_applications,
    simulate_credit_desk,
)


def test_the_ceiling_is_the_stated_one():
    report = simulate_credit_desk(LARGE)[2]
    assert report["ceiling_roc_auc"] == pytest.approx(0.79, abs=0.004)
    assert report["truth_roc_auc"] == pytest.approx(report["ceiling_roc_auc"], abs=0.005)
    assert report["expected_bad"] == pytest.approx(0.30, abs=0.01)
    assert (report["applications"], report["lines"]) == (50_000, 50_000)


def test_the_default_sample_has_applications_of_average_luck():
    report = simulate_credit_desk(ApplicationSimulation())[2]
    assert report["truth_roc_auc"] == pytest.approx(report["ceiling_roc_auc"], abs=0.01)


def test_the_stored_truth_gives_the_reported_figures(truth):
    report = simulate_credit_desk(LARGE)[2]
    bad, probability = truth["Risk"].eq("bad risk"), truth["bad_risk_probability"]
    assert roc_auc_score(bad, probability) == pytest.approx(report["truth_roc_auc"], abs=1e-4)
    assert bad.mean() == pytest.approx(report["bad"], abs=1e-4)


def test_the_truth_is_calibrated(truth):
    bad = truth["Risk"].eq("bad risk").to_numpy()
    for part in np.array_split(np.argsort(truth["bad_risk_probability"], kind="stable"), 10):
        expected = truth["bad_risk_probability"].iloc[part].mean()
        assert bad[part].mean() == pytest.approx(expected, abs=0.02)


def test_the_truth_repeats_the_form_and_stands_in_its_own_table_alone(applications, truth):
    assert list(truth) == [*FORM, "Risk", "bad_risk_probability"]
    pd.testing.assert_frame_equal(truth[[*FORM]], applications[[*FORM]])
    assert "bad_risk_probability" not in applications


def test_a_person_has_judged_the_stated_share_and_judged_it_rightly(applications, truth):
    judged = applications["Risk"].notna()
    assert judged.sum() == 15_000
    assert applications["Risk"][judged].equals(truth["Risk"][judged])
    shares = [truth["bad_risk_probability"][rows].mean() for rows in (judged, ~judged)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)  # drawn at random


@pytest.mark.parametrize(("share", "judged"), [(0, 0), (1, 1_000)])
def test_none_or_all_may_be_judged(share, judged):
    simulation = ApplicationSimulation(rows=1_000, adjudicated=share)
    table = pa.concat_tables(simulate_applications(simulation).tables())
    assert len(table) - table["Risk"].null_count == judged


def test_more_judged_applications_leave_everything_else_as_it_was():
    few, many = (
        pa.concat_tables(
            simulate_applications(ApplicationSimulation(rows=1_000, adjudicated=share)).tables()
        )
        for share in (0.1, 0.9)
    )
    assert few.select(FORM).equals(many.select(FORM))


def test_cutting_the_table_otherwise_keeps_the_counts():
    cut = ApplicationSimulation(rows=3_000, chunk_rows=1_000)
    table = pa.concat_tables(simulate_applications(cut).tables())
    assert (len(table), table["Risk"].null_count) == (3_000, 2_100)
    assert len(list(simulate_application_truth(cut).tables())) == 3
