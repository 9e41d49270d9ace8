"""What monitoring would have left about a shop's models, written where the catalog looks."""

import numpy as np
from tests.pipelines.monitoring.loans import dated, from_month, loans, undated

from clientela.dashboard.data import Options, open_catalog
from clientela.pipelines.monitoring.nodes import PreviousOutputs, run_monitoring
from clientela.pipelines.monitoring.pipeline import WRITTEN
from clientela.pipelines.monitoring.report import drift_state
from clientela.pipelines.monitoring.settings import MonitoringSettings

SETTINGS = MonitoringSettings(
    performance={"draws": 50, "groups": 20},
    segments={"columns": ["tipo"], "features": ["salario", "plazo"]},
)
SENT = {"alert": "a1", "channel": "1 webhook", "delivered": False, "attempts": 3, "detail": "500"}


def moved_loans():
    """Loans whose salaries rise fourfold from October on, and whose kind of work goes missing."""
    frame = from_month(loans(), "2024-10-01", salario=lambda column: column * 4, tipo=without_some)
    return dated(frame)


def without_some(column):
    return np.where(np.arange(len(column)) % 3 == 0, None, column)


def calm_loans():
    return dated(loans(seed=3))


def same_visitors():
    """The very rows that the model was made from: nothing new to compare."""
    frame = loans(800, seed=2)
    return undated(frame, frame, new=False)


def monitored_models(project, env, conf_source=None):
    """Writes the artefacts of three models; a fourth one was never monitored."""
    catalog = open_catalog(Options(project, env, conf_source)).catalog
    write(catalog, "credit_payment", moved_loans(), [SENT])
    write(catalog, "purchase_intensity", calm_loans())
    write(catalog, "customer_churn", same_visitors())


def write(catalog, use_case, rows, sent=()):
    made = run_monitoring(rows, PreviousOutputs(), SETTINGS, use_case)
    for part, dataset in WRITTEN.items():
        if part != "findings":
            catalog.save(f"{use_case}.{dataset}", made[part])
    catalog.save(f"{use_case}.drift_state", drift_state(made["findings"], sent))
