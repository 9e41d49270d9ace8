import numpy as np
import pandas as pd
import pytest
from tests.pipelines.monitoring.profiled_loans import SETTINGS, compared, loans, profile_of

from clientela.exceptions import ConfigurationError
from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import bin_contributions
from clientela.pipelines.monitoring.profile import BaselineProfile


def contributions(profile: BaselineProfile, now: pd.DataFrame, feature: str) -> pd.DataFrame:
    return bin_contributions(profile, count_rows_by_cell(now, profile), feature, SETTINGS)


def test_bins_of_a_number_are_named_by_their_borders_or_their_value():
    baseline = pd.DataFrame({"saldo": [0.0] * 14 + [1.0, 2.0, 3.0, 4.0, 5.0, np.nan]})
    now = pd.DataFrame({"saldo": [-1.0, 0.0, 4.0, 9.0, np.nan]})
    found = contributions(profile_of(baseline), now, "saldo")
    expected = pd.DataFrame(
        {
            "kind": ["interval", "value", "interval", "interval", "interval", "missing"],
            "lower": [np.nan, np.nan, 0.0, 2.333333, 3.666667, np.nan],
            "upper": [0.0, np.nan, 2.333333, 3.666667, np.nan, np.nan],
            "upper_included": [False, False, True, True, False, False],
            "value": [None, "0.0", None, None, None, None],
            "baseline_rows": [0, 14, 2, 1, 2, 1],
            "current_rows": [1, 1, 0, 0, 2, 1],
            "baseline_share": [0.0, 0.7, 0.1, 0.05, 0.1, 0.05],
            "current_share": [0.2, 0.2, 0.0, 0.0, 0.4, 0.2],
        }
    )
    pd.testing.assert_frame_equal(found.drop(columns="psi"), expected, rtol=1e-5)


def test_values_of_a_category_are_named_other_new_and_missing_too():
    baseline = pd.DataFrame({"tipo": ["a"] * 200 + ["b"] * 99 + ["raro"]})
    now = pd.DataFrame({"tipo": ["a", "raro", "nuevo", None]})
    found = contributions(profile_of(baseline), now, "tipo")
    assert found["kind"].tolist() == ["value", "value", "other", "new", "missing"]
    assert found["value"].tolist()[:2] == ["a", "b"]
    assert found["baseline_rows"].tolist() == [200, 99, 1, 0, 0]
    assert found["current_rows"].tolist() == [1, 0, 1, 1, 1]


@pytest.mark.parametrize("feature", loans(1).columns)
def test_contributions_add_up_to_the_psi_of_the_table(feature):
    profile, now = profile_of(loans(500)), loans(300, seed=1).assign(saldo_mora=1.0)
    total = contributions(profile, now, feature)["psi"].sum()
    assert total == pytest.approx(compared(profile, now).loc[feature, "psi"], rel=1e-12)


def test_an_unknown_column_is_refused_with_a_hint():
    with pytest.raises(ConfigurationError, match=r"plazo should be a watched.*'plazo_meses'"):
        contributions(profile_of(loans(5)), loans(5), "plazo")
