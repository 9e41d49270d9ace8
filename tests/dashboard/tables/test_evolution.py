import pandas as pd

from clientela.dashboard.pages.evolution import (
    average_psi,
    filter_critical_periods,
    filter_latest_baseline,
    performance_by_period,
    severity_by_period,
)

LOG = pd.DataFrame(
    {
        "period": ["2024-08", "2024-09", "2024-10"],
        "baseline": ["old", "new", "new"],
        "n": [100, 200, 300],
        "avg_psi": [0.1, 0.2, 0.3],
        "weighted_psi": [0.1, None, 0.4],
        "pct_red": [50.0, 0.0, 25.0],
        "red": [2, 0, 1],
        "red_features": ["plazo;salario", "", "salario"],
        "measure": "roc_auc",
        "estimated": [0.7, 0.71, None],
        "realised": [None, 0.69, None],
        "n_realised": [0, 50, 0],
        "level": ["critical", "critical", "warning"],
        "state": "alarm",
        "recommendation": "investigate",
    }
)


def test_figures_against_another_baseline_are_left_out():
    assert list(filter_latest_baseline(LOG)["period"]) == ["2024-09", "2024-10"]
    assert filter_latest_baseline(LOG[:0]).empty


def test_an_average_that_was_not_measured_is_no_point():
    expected = pd.DataFrame(
        {
            "period": ["2024-08", "2024-09", "2024-10", "2024-08", "2024-10"],
            "n": [100, 200, 300, 100, 300],
            "line": ["average"] * 3 + ["weighted"] * 2,
            "psi": [0.1, 0.2, 0.3, 0.1, 0.4],
        }
    )
    pd.testing.assert_frame_equal(average_psi(LOG), expected)


def test_performance_stands_beside_the_rows_that_it_rests_on():
    expected = pd.DataFrame(
        {
            "period": ["2024-08", "2024-09", "2024-09"],
            "measure": "roc_auc",
            "kind": ["estimated", "estimated", "realised"],
            "value": [0.7, 0.71, 0.69],
            "n": [100, 200, 50],
        }
    )
    pd.testing.assert_frame_equal(performance_by_period(LOG), expected)


def test_a_period_was_critical_by_its_columns_or_by_its_performance_latest_first():
    expected = pd.DataFrame(
        {
            "period": ["2024-10", "2024-09", "2024-08"],
            "level": ["warning", "critical", "critical"],
            "state": "alarm",
            "recommendation": "investigate",
            "pct_red": [25.0, 0.0, 50.0],
            "red_columns": ["salario", "", "plazo, salario"],
        }
    )
    pd.testing.assert_frame_equal(filter_critical_periods(LOG), expected)


def test_the_map_holds_the_chosen_columns_in_their_order():
    by_period = pd.DataFrame(
        {"period": "2024-08", "feature": ["a", "b", "c"], "severity": "VERDE", "psi": 0.1, "n": 9}
    )
    expected = pd.DataFrame(
        {"period": "2024-08", "feature": ["a", "c"], "severity": "VERDE", "psi": 0.1,
         "place": [1, 0]}, index=[0, 2],
    )  # fmt: skip
    pd.testing.assert_frame_equal(severity_by_period(by_period, ["c", "a"]), expected)
