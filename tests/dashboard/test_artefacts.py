import json

import pandas as pd
import pytest

from clientela.dashboard.data import Options, load_monitoring, open_catalog


@pytest.fixture
def read(project_root, data_root):
    catalog = open_catalog(Options(project_root, "test", None)).catalog
    return lambda use_case="credit_payment": load_monitoring(catalog, use_case)


def test_the_parts_are_those_that_monitoring_wrote(shop, read, folder):
    found = read()
    assert found.problems == {}
    assert found.state.state == "alarm"
    assert found.state.current.period == "2024-12"
    expected = pd.read_csv(folder("credit_payment") / "latest_drift_metrics.csv")
    pd.testing.assert_frame_equal(found.metrics[["feature", "psi"]], expected[["feature", "psi"]])
    assert list(found.log["period"]) == ["2024-09", "2024-10", "2024-11", "2024-12"]


def test_periods_without_red_columns_have_an_empty_text_and_no_number(shop, read):
    assert list(read("purchase_intensity").log["red_features"]) == [""] * 4


def test_the_sizes_that_count_are_those_of_the_parameters(shop, read):
    assert (read().psi_sizes.watch, read().psi_sizes.alarm) == (0.1, 0.25)


def test_nothing_at_all_is_no_problem(read):
    found = read()
    assert not found.exists
    assert found.problems == {}


@pytest.mark.parametrize(
    ("dataset", "file"),
    [
        ("latest_drift_metrics", "latest_drift_metrics.csv"),
        ("monitoring_log", "monitoring_log.csv"),
        ("bin_shares", "bin_shares.csv"),
    ],
)
def test_a_foreign_table_is_a_problem_that_hides_no_other_part(shop, read, folder, dataset, file):
    (folder("credit_payment") / file).write_text("id_cliente,valor\n1,2\n", "utf-8")
    found = read()
    assert list(found.problems) == [dataset]
    assert f"{dataset} should have the columns" in found.problems[dataset]
    assert "Run monitoring again" in found.problems[dataset]
    assert found.state is not None


@pytest.mark.parametrize(
    "dataset",
    [
        "latest_drift_metrics", "monitoring_log", "bin_shares", "drift_by_period",
        "drift_by_segment",
    ],
)  # fmt: skip
def test_a_table_that_was_cut_in_the_middle_of_a_row_is_named(shop, read, folder, dataset):
    path = folder("credit_payment") / f"{dataset}.csv"
    path.write_text(path.read_text("utf-8").rstrip().rsplit(",", 4)[0], "utf-8")
    assert list(read().problems) == [dataset]
    assert read("purchase_intensity").problems == {}


def test_a_severity_that_does_not_exist_is_named(shop, read, folder):
    path = folder("credit_payment") / "latest_drift_metrics.csv"
    path.write_text(path.read_text("utf-8").replace("VERDE", "PURPURA"), "utf-8")
    assert list(read().problems) == ["latest_drift_metrics"]


def test_an_empty_file_is_a_problem(shop, read, folder):
    (folder("credit_payment") / "drift_by_period.csv").write_bytes(b"")
    assert list(read().problems) == ["drift_by_period"]


def test_a_state_of_another_form_names_what_differs_and_none_of_its_values(shop, read, folder):
    path = folder("credit_payment") / "drift_state.json"
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | {"state": "panico"}), "utf-8")
    found = read()
    assert found.state is None
    assert "it differs in state" in found.problems["drift_state"]
    assert "panico" not in found.problems["drift_state"]


def test_a_file_that_was_replaced_is_read_anew(shop, read, folder):
    assert read().state.state == "alarm"
    path = folder("credit_payment") / "drift_state.json"
    path.write_text(path.read_text("utf-8").replace('"alarm"', '"watch"'), "utf-8")
    assert read().state.state == "watch"
