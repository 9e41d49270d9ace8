"""A small lender's rows, as monitoring sees them."""

import numpy as np
import pandas as pd

from clientela.pipelines.monitoring.inputs import MonitoringInput, ScoredModel

WATCHED = ("salario", "plazo", "tipo", "clase", "probabilidad")
MODEL = ScoredModel("binary", ("no_paga", "paga"), {"roc_auc": 0.75, "calibration_error": 0.01})


def loans(rows=5000, seed=0, first="2024-01-01", days=360):
    """One row per loan, evenly spread over the days, each with its score and class."""
    random = np.random.default_rng(seed)
    chance = random.beta(8, 2, rows)
    moments = pd.Timestamp(first) + pd.to_timedelta(np.arange(rows) * days * 1440 // rows, "min")
    return pd.DataFrame(
        {
            "salario": random.lognormal(8, 0.5, rows),
            "plazo": random.choice([6.0, 12.0, 24.0], rows),
            "tipo": random.choice(["Empleado", "Independiente"], rows),
            "clase": np.where(chance >= 0.5, "paga", "no_paga"),
            "probabilidad": chance,
            "p_no_paga": 1 - chance,
            "p_paga": chance,
            "Pago_atiempo": np.where(random.random(rows) < chance, "paga", "no_paga"),
            "fecha": moments.as_unit("us"),
        }
    )


def dated(frame, **changes):
    """Rows that are compared by period."""
    given = {
        "columns": WATCHED, "moment": "fecha", "target": "Pago_atiempo", "model": MODEL,
        "unseen": np.ones(len(frame), dtype=bool), "importance": {"salario": 2.0, "plazo": 1.0},
    }  # fmt: skip
    return MonitoringInput(current=frame, **(given | changes))


def undated(frame, baseline=None, **changes):
    """Rows that are compared as one file."""
    return dated(frame, **({"moment": None, "baseline": baseline, "target": None} | changes))


def from_month(frame, month, **changes):
    """The frame with other values from a month on."""
    later = (frame["fecha"] >= month).to_numpy()
    values = {
        name: np.where(later, change(frame[name]), frame[name]) for name, change in changes.items()
    }
    return frame.assign(**values)
