import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control
from tests.pipelines.monitoring.profiled_loans import SETTINGS, compared, loans, profile_of

from clientela.exceptions import IncompatibleDataError
from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import COLUMNS, drift_table
from clientela.pipelines.monitoring.statistical_tests import compute_exact_distances

PROFILE = profile_of(loans(3000))
NOW = loans(600, seed=1)


def alarms(table: pd.DataFrame) -> set[str]:
    return {str(name) for name in table.index[(table["psi"] >= 0.25) & (table["q"] < 0.01)]}


def test_the_columns_and_their_order_are_those_that_are_promised():
    table = drift_table(PROFILE, count_rows_by_cell(NOW, PROFILE), SETTINGS)
    assert tuple(table.columns) == COLUMNS
    assert table["feature"].tolist() == sorted(NOW.columns)
    assert (
        not table[["psi", "js", "cramers_v", "chi2", "p", "q", "psi_noise"]].isna().any(axis=None)
    )


def test_numbers_have_distances_and_categories_new_values():
    table = compared(PROFILE, NOW)
    numbers = table[table["type"] == "numeric"]
    categories = table[table["type"] == "categorical"]
    distances = ["ks", "ks_lower", "ks_upper", "wasserstein", "out_of_range_rate"]
    assert numbers["new_rate"].isna().all()
    assert numbers[distances].notna().all(axis=None)
    assert categories[distances].isna().all(axis=None)
    assert categories["new_rate"].tolist() == [0.0, 0.0]


def test_the_baseline_against_itself_does_not_differ():
    table = compared(PROFILE, loans(3000))
    assert (table[["psi", "js", "cramers_v", "chi2"]] == 0).all(axis=None)
    assert (table[["p", "q"]] == 1).all(axis=None)
    assert (table["ks_lower"].dropna() == 0).all()
    assert (table["wasserstein"].dropna() == 0).all()


def test_q_is_benjamini_hochberg_over_the_table():
    table = compared(PROFILE, NOW.assign(saldo_mora=5.0, salario_cliente=NOW.salario_cliente * 1.1))
    np.testing.assert_array_equal(table["q"], false_discovery_control(table["p"]))


def test_values_at_hand_make_ks_and_wasserstein_exact():
    exact = {
        "salario_cliente": compute_exact_distances(loans(3000).salario_cliente, NOW.salario_cliente)
    }
    table = drift_table(PROFILE, count_rows_by_cell(NOW, PROFILE), SETTINGS, exact).set_index(
        "feature"
    )
    certified = compared(PROFILE, NOW)
    salary = table.loc["salario_cliente"]
    assert (
        salary[["ks", "ks_lower", "ks_upper"]].tolist() == [exact["salario_cliente"].ks_lower] * 3
    )
    assert certified.loc["salario_cliente", "ks_lower"] <= salary["ks"]
    assert salary["ks"] <= certified.loc["salario_cliente", "ks_upper"]
    pd.testing.assert_series_equal(table.loc["saldo_mora"], certified.loc["saldo_mora"])


def test_rates_are_shares_of_all_rows():
    now = pd.DataFrame({"plazo": [6.0, 99.0, np.nan, np.nan], "tipo": ["a", "b", None, "b"]})
    profile = profile_of(pd.DataFrame({"plazo": [6.0, 12.0, np.nan], "tipo": ["a", "a", "a"]}))
    table = compared(profile, now)
    assert table["missing_rate"].tolist() == [0.5, 0.25]
    assert table["missing_rate_baseline"].tolist() == [1 / 3, 0.0]
    assert table.loc["plazo", "out_of_range_rate"] == 0.25
    assert table.loc["tipo", "new_rate"] == 0.5
    assert table["n"].tolist() == [4, 4]
    assert table["n_baseline"].tolist() == [3, 3]


def test_without_drift_nothing_alarms():
    assert alarms(compared(PROFILE, NOW)) == set()


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("salario_cliente", lambda now: now["salario_cliente"] * 1.25),
        ("salario_cliente", lambda now: 1e12),
        ("salario_cliente", lambda now: -1.0),
        ("salario_cliente", lambda now: np.nan),
        ("tendencia_ingresos", lambda now: None),
        ("version_politica", lambda now: 2.0),
        ("version_politica", lambda now: np.nan),
        ("version_politica", lambda now: np.where(now.index < 150, 1.5, 1.0)),
        ("saldo_mora", lambda now: 0.01),
        ("tendencia_ingresos", lambda now: now["tendencia_ingresos"].replace("Estable", "Plana")),
        ("es_empleado", lambda now: ~now["es_empleado"]),
    ],
    ids=[
        *("every salary x 1.25", "far above the range", "below the range", "all missing"),
        *("a category all missing", "a constant that changes", "a constant that goes missing"),
        *("a constant that changes for some", "a mostly zero column no longer zero"),
        *("a new category", "a boolean turned round"),
    ],
)
def test_found_and_nothing_else(column, change):
    now = loans(1500, seed=1)
    assert alarms(compared(PROFILE, now.assign(**{column: change(now)}))) == {column}


def test_few_rows_find_what_is_plain():
    now = loans(11, seed=1).assign(version_politica=2.0, promedio_ingresos=np.nan)
    assert alarms(compared(PROFILE, now)) == {"version_politica", "promedio_ingresos"}


def test_one_row_can_be_compared():
    assert compared(PROFILE, loans(1))["n"].tolist() == [1] * 7


def test_a_baseline_of_one_row_can_be_compared():
    assert alarms(compared(profile_of(loans(1)), loans(50))) == set()


def test_an_empty_period_is_refused():
    nobody = loans(1).iloc[:0]
    with pytest.raises(IncompatibleDataError, match="current period should have rows"):
        drift_table(PROFILE, count_rows_by_cell(nobody, PROFILE), SETTINGS)


def test_counts_against_another_profile_are_refused():
    other = profile_of(loans(50))
    with pytest.raises(IncompatibleDataError, match="counts should be against the profile"):
        drift_table(PROFILE, count_rows_by_cell(NOW, other), SETTINGS)
