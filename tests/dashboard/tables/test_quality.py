import pandas as pd

from clientela.dashboard.pages.quality import (
    compare_missing_rates,
    find_unseen_values,
    select_anomalies,
)

METRICS = pd.DataFrame(
    {
        "feature": ["a", "b", "c", "d"],
        "severity": ["ROJO", "ROJO", "AMARILLO", "VERDE"],
        "reason": ["distribution_shifted", "all_missing", "new_values", "stable"],
        "missing_rate": [0.0, 1.0, 0.2, 0.0],
        "missing_rate_baseline": [0.0, 0.1, 0.2, 0.0],
        "new_rate": [None, None, 0.03, 0.0],
        "out_of_range_rate": [0.5, None, None, None],
    }
)


def test_a_shifted_distribution_is_no_anomaly_of_values():
    assert list(select_anomalies(METRICS)["feature"]) == ["b", "c"]


def test_missing_values_stand_by_how_much_changed():
    expected = pd.DataFrame(
        {
            "feature": ["b", "c"],
            "severity": ["ROJO", "AMARILLO"],
            "baseline": [0.1, 0.2],
            "current": [1.0, 0.2],
        }
    )
    pd.testing.assert_frame_equal(compare_missing_rates(METRICS), expected)


def test_unknown_values_stand_largest_share_first():
    expected = pd.DataFrame(
        {
            "feature": ["a", "c"],
            "severity": ["ROJO", "AMARILLO"],
            "kind": ["out_of_range", "new"],
            "share": [0.5, 0.03],
        }
    )
    pd.testing.assert_frame_equal(find_unseen_values(METRICS), expected)
