"""Whole chain from rows to severities: what must not alarm, and what must."""

import numpy as np
import pandas as pd
import pytest

from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import drift_table
from clientela.pipelines.monitoring.profile import (
    DriftSettings,
    ProfileSettings,
    build_baseline_profile,
)
from clientela.reporting.drift_findings import DriftThresholds, assign_severity

N = 4000


def loans():
    random = np.random.default_rng(11)
    mora = random.exponential(10_000, N) * (random.random(N) < 0.1)
    return pd.DataFrame(
        {
            # PSI of a factor f is about (log f / spread)^2: a quarter more is .31 here
            "salario_cliente": random.lognormal(14.9, 0.4, N).round(-4),
            "plazo_meses": random.choice([6.0, 10.0, 12.0, 24.0], N, p=[0.3, 0.5, 0.15, 0.05]),
            "saldo_mora": mora.round(2),
            "promedio_ingresos": np.where(random.random(N) < 0.27, np.nan, random.random(N)),
            "puntaje": random.normal(700, 80, N),
            "moneda": 1.0,
            "tipo_laboral": random.choice(["Empleado", "Independiente"], N, p=[0.63, 0.37]),
            "ciudad": random.choice([f"c{k}" for k in range(40)], N),
        }
    )


BASELINE = loans()
PROFILE = build_baseline_profile(BASELINE, ProfileSettings(), use_case="credit_payment")


def judged(rows):
    table = drift_table(PROFILE, count_rows_by_cell(rows, PROFILE), DriftSettings())
    return assign_severity(table, DriftThresholds(), constant={"moneda"}).set_index("feature")


@pytest.mark.slow
@pytest.mark.parametrize("n", [11, 40, 127, 1000])
def test_draws_from_the_baseline_itself_alarm_in_one_of_twenty_at_most(n):
    random = np.random.default_rng(n)
    alarms = greens = 0
    for _ in range(60):
        severity = judged(BASELINE.iloc[random.integers(0, N, n)])["severity"]
        alarms += (severity == "ROJO").any()
        greens += (severity == "VERDE").any()
    assert alarms <= 3
    if n < 67:
        assert greens == 0


@pytest.mark.parametrize(
    ("column", "change", "n", "reason"),
    [
        ("salario_cliente", lambda column: column * 2, 76, "distribution_shifted"),
        ("salario_cliente", lambda column: column * 1.25, 1000, "distribution_shifted"),
        ("plazo_meses", lambda column: column * np.nan, 11, "all_missing"),
        ("puntaje", lambda column: column * 0 + 1e12, 11, "out_of_range"),
        (
            "tipo_laboral",
            lambda column: column.where(column.index % 5 > 0, "Pensión"),
            300,
            "new_values",
        ),
        ("moneda", lambda column: column * 4000, 11, "constant_changed"),
    ],
)
def test_what_really_changed_is_red_with_its_cause(column, change, n, reason):
    rows = BASELINE.sample(n, random_state=1)
    changed = judged(rows.assign(**{column: change(rows[column])})).loc[column]
    assert (changed["severity"], changed["reason"]) == ("ROJO", reason)
