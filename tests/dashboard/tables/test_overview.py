import pandas as pd
import pytest

from clientela.dashboard.data import DriftState, MonitoringResults
from clientela.dashboard.pages.overview import (
    count_models_by_status,
    count_severities,
    get_model_status,
)
from clientela.reporting.drift_findings import EffectSizes

NOTHING_NEW = {
    "status": "no_current_data",
    "baseline": {"rows": 10},
    "what_to_do": {"es": "esperar", "en": "wait"},
}


def model(use_case="m", state=None, severities=None):
    content = {"state": state} if state else {}
    found = None if state == "none" else DriftState.model_validate(NOTHING_NEW | content)
    metrics = None if severities is None else pd.DataFrame({"severity": severities})
    return MonitoringResults(
        use_case, found, metrics, None, None, None, None, EffectSizes(watch=0.1, alarm=0.25), {}
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [("alarm", "alarm"), (None, "no_current_data"), ("none", "not_monitored")],
)
def test_a_model_stands_where_its_state_says_or_why_it_has_none(state, expected):
    assert get_model_status(model(state=state)) == expected


def test_models_are_counted_worst_first_and_none_is_lost():
    models = [model(state=state) for state in ("stable", "alarm", None, "none", "stable")]
    assert count_models_by_status(models) == {
        "alarm": 1, "watch": 0, "stable": 2, "no_current_data": 1, "not_monitored": 1,
    }  # fmt: skip


def test_columns_are_counted_by_severity():
    models = [model("a", "alarm", ["ROJO", "ROJO", "VERDE"]), model("b")]
    expected = pd.DataFrame(
        {
            "use_case": "a",
            "severity": ["ROJO", "AMARILLO", "INSUFICIENTE", "VERDE"],
            "rank": [0, 1, 2, 3],
            "columns": [2, 0, 0, 1],
        }
    )
    pd.testing.assert_frame_equal(count_severities(models), expected)
