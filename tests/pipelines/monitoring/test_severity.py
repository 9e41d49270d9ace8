import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pydantic import ValidationError
from tests.pipelines.monitoring.decision_cases import QUIET, drift_rows

from clientela.reporting.drift_findings import (
    SEVERITIES,
    DriftThresholds,
    EffectSizes,
    assign_severity,
    sort_by_severity,
)

LIMITS = DriftThresholds()
SURE = {"q": 1e-6}


def verdict(change, **arguments):
    row = assign_severity(drift_rows(change), LIMITS, **arguments).iloc[0]
    return row["severity"], row["reason"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("VERDE", "stable")),
        ({"psi": 0.09} | SURE, ("VERDE", "stable")),
        ({"psi": 0.1} | SURE, ("AMARILLO", "distribution_shifted")),
        ({"psi": 0.2499} | SURE, ("AMARILLO", "distribution_shifted")),
        ({"psi": 0.25} | SURE, ("ROJO", "distribution_shifted")),
        ({"psi": 0.3, "q": 0.01}, ("INSUFICIENTE", "not_proven")),
        ({"n": 9}, ("INSUFICIENTE", "few_rows")),
        ({"n": 9, "psi": 5.0} | SURE, ("INSUFICIENTE", "few_rows")),
        ({"n_baseline": 9}, ("INSUFICIENTE", "few_rows")),
        ({"n": 0, "psi": np.nan}, ("INSUFICIENTE", "no_rows")),
        ({"psi": np.nan, "q": np.nan}, ("INSUFICIENTE", "not_measured")),
        ({"n": 127, "psi_noise": 0.17}, ("INSUFICIENTE", "not_proven")),
        ({"n": 40, "psi_noise": np.nan}, ("INSUFICIENTE", "not_proven")),
        ({"psi_noise": np.nan}, ("VERDE", "stable")),
        ({"n": 76, "psi": 0.5, "psi_noise": 0.29} | SURE, ("ROJO", "distribution_shifted")),
        ({"missing_rate": 1.0, "n": 11, "psi_noise": 2.0}, ("ROJO", "all_missing")),
        ({"missing_rate": 1.0, "missing_rate_baseline": 0.97}, ("ROJO", "all_missing")),
        ({"missing_rate": 1.0, "missing_rate_baseline": 1.0}, ("VERDE", "stable")),
        ({"missing_rate": 0.3}, ("ROJO", "more_missing")),
        ({"missing_rate": 0.1, "psi": 0.3}, ("AMARILLO", "more_missing")),
        ({"missing_rate_baseline": 0.3}, ("ROJO", "fewer_missing")),
        # two of ten rows against none of 7,534 are no chance
        ({"missing_rate": 0.2, "n": 10, "psi_noise": 2.0}, ("ROJO", "more_missing")),
        ({"new_rate": 0.06, "out_of_range_rate": np.nan}, ("ROJO", "new_values")),
        ({"new_rate": 0.02, "out_of_range_rate": np.nan}, ("AMARILLO", "new_values")),
        ({"out_of_range_rate": 1.0, "psi": 0.093}, ("ROJO", "out_of_range")),
        ({"out_of_range_rate": 0.005}, ("VERDE", "stable")),
    ],
)
def test_a_column_is_judged_by_effect_and_significance_together(change, expected):
    assert verdict(change) == expected


def test_a_constant_column_that_changes_says_so():
    change = {"out_of_range_rate": 1.0}
    assert verdict(change, constant={"salario_cliente"}) == ("ROJO", "constant_changed")


def test_every_finding_of_the_decisive_severity_is_told_the_cause_first():
    change = {"missing_rate": 0.3, "psi": 1.25, "q": 1e-9}
    row = assign_severity(drift_rows(change), LIMITS).iloc[0]
    assert row["reason"] == "more_missing"
    assert row["sentence_es"] == (
        "Falta en el 30,0 % de las filas; antes en el 0,0 %. "
        "La distribución cambió: PSI 1,250; por azar llegaría a 0,010."
    )
    assert row["sentence_en"] == (
        "Missing in 30.0% of the rows; 0.0% before. "
        "The distribution moved: PSI 1.250; chance alone reaches 0.010."
    )


def test_the_table_begins_as_required_and_keeps_its_figures():
    table = drift_rows({"feature": "a"}, {"feature": "b", "psi": 0.5, "q": 1e-9})
    judged = assign_severity(table, LIMITS)
    assert list(judged)[:7] == ["feature", "type", "psi", "ks", "js", "cramers_v", "severity"]
    assert list(judged)[-3:] == ["reason", "sentence_es", "sentence_en"]
    assert_frame_equal(judged[list(table)], table.iloc[[1, 0]].reset_index(drop=True))


def test_the_worst_columns_come_first_ties_by_psi_then_name():
    table = pd.DataFrame(
        [
            ("verde", 0.01, "VERDE"),
            ("sin_datos", np.nan, "INSUFICIENTE"),
            ("pocos", 0.9, "INSUFICIENTE"),
            ("amarillo", 0.2, "AMARILLO"),
            ("b", 0.3, "ROJO"),
            ("a", 0.3, "ROJO"),
            ("peor", 2.0, "ROJO"),
        ],
        columns=["feature", "psi", "severity"],
    )
    expected = ["peor", "a", "b", "amarillo", "pocos", "sin_datos", "verde"]
    for seed in range(5):
        mixed = table.sample(frac=1, random_state=seed)
        assert sort_by_severity(mixed)["feature"].tolist() == expected


def test_a_table_without_columns_stays_one():
    assert assign_severity(drift_rows(), LIMITS).empty


shares = st.floats(0, 1)


@given(
    st.fixed_dictionaries(
        {
            "psi": st.floats(0, 20),
            "q": shares,
            "psi_noise": st.floats(0, 5),
            "missing_rate": shares,
            "missing_rate_baseline": shares,
            "new_rate": shares | st.just(np.nan),
            "out_of_range_rate": shares | st.just(np.nan),
            "n": st.integers(0, 2000),
            "n_baseline": st.integers(1, 2000),
        }
    )
)
def test_few_rows_are_never_green_and_more_drift_never_better(change):
    severity, _ = verdict(change)
    if min(change["n"], change["n_baseline"]) < 60:
        assert severity != "VERDE"
    if severity in {"ROJO", "AMARILLO"}:
        worse, _ = verdict(change | {"psi": change["psi"] + 1})
        assert SEVERITIES.index(worse) <= SEVERITIES.index(severity)


def test_no_sentence_names_the_column_or_a_value():
    judged = assign_severity(drift_rows({"missing_rate": 0.5}), LIMITS)
    assert QUIET["feature"] not in "".join(judged["sentence_es"] + judged["sentence_en"])


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(ValidationError, match=r"watch should not exceed alarm; got watch 0\.3"):
        EffectSizes(watch=0.3, alarm=0.25)
