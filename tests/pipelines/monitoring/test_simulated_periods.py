"""Periods that data_generation made: compared and marked, never part of what is real."""

import numpy as np
import pandas as pd
import pytest
from tests.pipelines.monitoring.loans import dated, loans, undated
from tests.pipelines.monitoring.test_run import left, run

from clientela.datasets.files import GeneratedFileDataset, SimulatedPeriodDataset
from clientela.pipelines.data_generation.churn import ChurnSimulation, simulate_next_visitors
from clientela.pipelines.monitoring.inputs import SimulatedRows
from clientela.reporting.monitoring_log import parse_log


def later(seed, month, **changes):
    frame = loans(rows=600, seed=seed, first=month, days=25)
    return frame.assign(**{name: change(frame[name]) for name, change in changes.items()})


QUIET = SimulatedRows("none", later(5, "2025-01-02"))
BROKEN = SimulatedRows("broken_unit", later(6, "2025-02-02", salario=lambda salary: salary / 1e3))


def log_of(made):
    return parse_log(made["log"].to_csv(index=False))


def test_a_quiet_period_stays_quiet_and_a_broken_unit_is_red_marked_and_investigated():
    made = run(dated(loans(), target=None, simulated=[QUIET, BROKEN]))
    quiet, broken = log_of(made)[-2:]
    assert (quiet.period, quiet.mode, quiet.red, quiet.recommendation) == (
        "2025-01", "simulated: no shift", 0, "nothing",
    )  # fmt: skip
    assert (broken.period, broken.mode, broken.red_features, broken.recommendation) == (
        "2025-02", "simulated: broken_unit", "salario", "investigate",
    )  # fmt: skip
    alert = made["findings"].alert
    assert alert.mode == "simulated: broken_unit"
    assert alert.text.endswith("Recomendación: investigar la causa antes de decidir.")


def test_simulated_rows_change_nothing_of_the_baseline_or_of_real_periods():
    plain, beside = run(dated(loans())), run(dated(loans(), simulated=[QUIET, BROKEN]))
    assert beside["profile"] == plain["profile"]
    assert log_of(beside)[:-2] == log_of(plain)
    # a later real month is judged as if no simulated one had been critical
    bad = later(7, "2025-03-02", salario=lambda salary: salary * 2)
    rows = pd.concat([loans(), bad], ignore_index=True)
    after = run(dated(rows, simulated=[QUIET, BROKEN]), left(beside))
    march = next(row for row in log_of(after) if row.period == "2025-03")
    assert (march.mode, march.recommendation) == ("period", "watch")


def test_files_without_dates_are_numbered_and_keep_their_number():
    rows = undated(loans(), baseline=loans()[:4000], new=False, simulated=[QUIET, BROKEN])
    first = run(rows)
    assert [(row.period, row.mode) for row in log_of(first)] == [
        ("0001", "simulated: no shift"), ("0002", "simulated: broken_unit"),
    ]  # fmt: skip
    assert run(rows, left(first))["log"].equals(first["log"])


@pytest.fixture
def files(tmp_path):
    """A generated sample of visitors, and the next period beside it."""
    simulation = ChurnSimulation(rows=200, next_period={"rows": 200, "shift": "missing_column"})
    raw = str(tmp_path / "wifi.csv")
    dataset = SimulatedPeriodDataset(filepath=str(tmp_path / "p.parquet"), together_with=[raw])
    quiet, shifted = simulate_next_visitors(simulation)
    GeneratedFileDataset(filepath=raw).save(quiet)
    dataset.save(shifted)
    return tmp_path, dataset


def test_a_simulated_period_is_read_beside_its_sample_and_never_beside_a_persons_own_file(
    files, caplog
):
    folder, dataset = files
    period = dataset.load()
    assert (period.shift, period.rows["megabytes"].null_count) == ("missing_column", 200)
    (folder / "wifi.csv").write_text("user_id,visits\nU1,3\n", "utf-8")
    assert dataset.load() is None
    assert "wifi.csv is no generated sample" in caplog.text
    (folder / "p.parquet").unlink()
    assert dataset.load() is None


@pytest.mark.parametrize(
    ("shift", "changed"),
    [
        ("none", set()),
        ("broken_unit", {"avg_session"}),
        ("missing_column", {"megabytes"}),
        ("new_category", {"mall"}),
        ("changed_relation", {"churn"}),
    ],
)
def test_a_change_is_planted_in_its_column_alone(shift, changed):
    def draw(kind):
        simulation = ChurnSimulation(rows=200, next_period={"rows": 300, "shift": kind})
        return next(simulate_next_visitors(simulation)[1].tables()).to_pandas()

    plain, planted = draw("none"), draw(shift)
    assert {name for name in plain if not plain[name].equals(planted[name])} == changed


def test_a_changed_population_keeps_each_row_as_it_is():
    simulation = ChurnSimulation(rows=200, next_period={"rows": 300, "shift": "changed_population"})
    quiet, older = (next(each.tables()).to_pandas() for each in simulate_next_visitors(simulation))
    assert (len(quiet), len(older)) == (300, 300)
    assert older["age"].mean() > quiet["age"].mean() + 10
    assert np.isclose(older["total_minutes"], older["visits"] * older["avg_session"]).all()
