"""Drift tables and periods that tests of decisions start from."""

import numpy as np
import pandas as pd

from clientela.reporting.model_health import PeriodSummary

QUIET = {
    "feature": "salario_cliente",
    "type": "numeric",
    "psi": 0.004,
    "ks": 0.01,
    "js": 0.001,
    "cramers_v": 0.0,
    "ks_lower": 0.008,
    "ks_upper": 0.012,
    "chi2": 5.0,
    "p": 0.8,
    "q": 0.9,
    "wasserstein": 1000.0,
    "wasserstein_norm": 0.01,
    "missing_rate": 0.0,
    "missing_rate_baseline": 0.0,
    "new_rate": np.nan,
    "out_of_range_rate": 0.0,
    "psi_noise": 0.0096,
    "n": 3229,
    "n_baseline": 7534,
}


def drift_rows(*changes):
    """A drift table: each row is a quiet column with these changes."""
    return pd.DataFrame([QUIET | change for change in changes], columns=list(QUIET))


def judged_rows(*rows):
    """Just what later steps read of a table with severities: feature, psi, severity, reason."""
    columns = ["feature", "psi", "severity", "reason", "sentence_es"]
    return pd.DataFrame([(*row, "Una frase.") for row in rows], columns=columns)


CALM = PeriodSummary(weighted_psi=0.01, red=0, red_share=0, moved_share=0, unknown_share=0)
WARNING = CALM.model_copy(update={"moved_share": 0.3})
CRITICAL = CALM.model_copy(update={"red": 2, "red_share": 0.4, "moved_share": 0.4})
UNKNOWN = CALM.model_copy(update={"unknown_share": 1.0})
