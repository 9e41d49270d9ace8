import pandas as pd

from clientela.dashboard.pages.distributions import filter_by_severity, select_drifted_columns

METRICS = pd.DataFrame(
    {
        "feature": ["a", "b", "c", "d"],
        "severity": ["VERDE", "AMARILLO", "ROJO", "INSUFICIENTE"],
        "psi": [0.01, 0.2, 0.5, 0.3],
    }
)


def test_every_column_is_shown_worst_first_where_no_severity_is_chosen():
    assert list(filter_by_severity(METRICS, [])["feature"]) == ["c", "b", "d", "a"]


def test_chosen_severities_only():
    assert list(filter_by_severity(METRICS, ["VERDE", "ROJO"])["feature"]) == ["c", "a"]


def test_what_can_not_be_told_has_not_moved():
    assert list(select_drifted_columns(METRICS)["feature"]) == ["c", "b"]
