"""Loans to profile and to compare: a continuous, a lumpy, a constant number, and categories."""

import numpy as np
import pandas as pd

from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import drift_table
from clientela.pipelines.monitoring.profile import (
    BaselineProfile,
    DriftSettings,
    ProfileSettings,
    build_baseline_profile,
)

SETTINGS = DriftSettings()


def loans(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    tendencia = rng.choice(["Creciente", "Estable", "Decreciente"], rows, p=[0.6, 0.25, 0.15])
    ingresos = rng.lognormal(14, 0.7, rows).round()
    return pd.DataFrame(
        {
            "salario_cliente": rng.lognormal(14.8, 0.4, rows).round(-3),
            "plazo_meses": rng.choice([6, 10, 12, 24], rows, p=[0.3, 0.2, 0.4, 0.1]),
            "saldo_mora": rng.lognormal(5, 2, rows) * (rng.random(rows) < 0.05),
            "promedio_ingresos": np.where(rng.random(rows) < 0.27, np.nan, ingresos),
            "version_politica": np.ones(rows),
            "tendencia_ingresos": np.where(rng.random(rows) < 0.2, None, tendencia),
            "es_empleado": rng.random(rows) < 0.7,
        }
    )


def profile_of(frame: pd.DataFrame, settings: ProfileSettings | None = None) -> BaselineProfile:
    return build_baseline_profile(frame, settings or ProfileSettings(), use_case="credit_payment")


def compared(profile: BaselineProfile, current: pd.DataFrame) -> pd.DataFrame:
    return drift_table(profile, count_rows_by_cell(current, profile), SETTINGS).set_index("feature")
