"""Exact KS while the baseline's rows are at hand; the certified interval when they are not."""

import logging

import pandas as pd
import pytest
from scipy.stats import ks_2samp
from tests.pipelines.monitoring.loans import dated, from_month, loans, undated
from tests.pipelines.monitoring.test_run import SETTINGS, left, run

EXACT = SETTINGS.model_copy(update={"exact": True, "compat": True})
NUMBERS = ["plazo", "probabilidad", "salario"]


def moved_loans():
    return from_month(loans(), "2024-11-01", salario=lambda salary: salary * 1.3)


def certified(latest):
    found = latest.set_index("feature").loc[NUMBERS]
    return (found["ks_lower"] < found["ks_upper"]).tolist()


def test_ks_is_that_of_scipy_on_the_rows_of_the_baseline_and_of_the_period():
    frame = moved_loans()
    latest = run(dated(frame), settings=EXACT)["latest"].set_index("feature")
    last = pd.Timestamp(run(dated(frame))["profile"]["period"]["last"])
    baseline = frame[frame["fecha"] <= last]
    december = frame[frame["fecha"] >= "2024-12-01"]
    for name in NUMBERS:
        expected = ks_2samp(baseline[name], december[name], method="asymp").statistic
        found = latest.loc[name]
        assert [found["ks"], found["ks_classic"]] == pytest.approx([expected, expected], abs=1e-12)
        assert found["ks_lower"] == found["ks_upper"]


def test_without_the_request_the_profile_certifies_an_interval_around_it():
    frame = moved_loans()
    exact, plain = (
        run(dated(frame), settings=settings)["latest"].set_index("feature").loc[NUMBERS]
        for settings in (EXACT, SETTINGS)
    )
    assert (plain["ks_lower"] <= exact["ks"]).all()
    assert (exact["ks"] <= plain["ks_upper"]).all()
    assert certified(plain.reset_index()) == [False, True, True]  # plazo has three values


def test_rows_of_the_baseline_that_are_gone_are_said_to_be(caplog):
    frame = moved_loans()
    first = run(dated(frame), settings=EXACT)
    later = frame[frame["fecha"] >= "2024-09-01"].reset_index(drop=True)
    with caplog.at_level(logging.WARNING):
        again = run(dated(later), left(first), settings=EXACT)
    assert "No exact KS of plazo, probabilidad, salario" in caplog.text
    assert certified(again["latest"]) == [False, True, True]


def test_a_column_of_the_baseline_that_was_rewritten_loses_its_exact_figure_alone(caplog):
    frame = moved_loans()
    first = run(dated(frame), settings=EXACT)
    rewritten = frame.assign(salario=frame["salario"].where(frame.index != 7, 1e6))
    with caplog.at_level(logging.WARNING):
        again = run(dated(rewritten), left(first), settings=EXACT)
    assert "No exact KS of salario:" in caplog.text
    assert certified(again["latest"]) == [False, False, True]


def test_a_file_without_dates_is_compared_with_the_rows_the_model_was_made_from():
    made_from, now = loans(800), loans(500, seed=1)
    latest = run(undated(now, baseline=made_from), settings=EXACT)["latest"].set_index("feature")
    expected = ks_2samp(made_from["salario"], now["salario"], method="asymp").statistic
    assert latest.loc["salario", "ks"] == pytest.approx(expected, abs=1e-12)


def test_a_second_run_with_exact_figures_changes_no_byte():
    first = run(dated(moved_loans()), settings=EXACT)
    second = run(dated(moved_loans()), left(first), settings=EXACT)
    assert second["latest"].to_csv() == first["latest"].to_csv()
