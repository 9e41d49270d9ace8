"""Nodes of the monitoring stage: thin, in the order they run."""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from clientela.alerting.addresses import sent_alert
from clientela.modelling.schema import FeatureSchema
from clientela.modelling.storage.stored_model import StoredModel
from clientela.monitoring.report import Findings
from clientela.monitoring.report import drift_state as state_of
from clientela.monitoring.report import headline as headline_of
from clientela.monitoring.rows import MonitoredRows, Trained
from clientela.monitoring.rows import scored_rows as scored_rows_of
from clientela.monitoring.rows import segmented_rows as segmented_rows_of
from clientela.monitoring.run import Former, monitored
from clientela.monitoring.settings import MonitoringSettings

logger = logging.getLogger(__name__)


def scored_rows(
    features: pd.DataFrame,
    scores: pd.DataFrame,
    settings: MonitoringSettings,
    labelled: pd.DataFrame | None = None,
    observed: Mapping[str, str] | None = None,
    **trained: Any,
) -> MonitoredRows:
    """The rows of a use case whose cases are scored; see `clientela.monitoring.rows`.

    Args:
        features: One row per case (PII), as it was scored.
        scores: Their scores.
        settings: What may vary.
        labelled: The model input, for the classes that are known by now.
        observed: First and last day of the transactions.
        trained: The fields of `Trained`.
    """
    schema = FeatureSchema.model_validate(trained.pop("schema"))
    made = Trained(schema=schema, **trained)
    rows = scored_rows_of(features, scores, made, labelled, settings)
    day = None if observed is None else observed["last"]
    return replace(rows, period=rows.period or day)


def segmented_rows(
    features: pd.DataFrame, export: pd.DataFrame, model: StoredModel, settings: MonitoringSettings
) -> MonitoredRows:
    """The rows of a use case with segments; see `clientela.monitoring.rows`."""
    return segmented_rows_of(features, export, model, settings)


def drift(
    rows: MonitoredRows, former: Mapping[str, str], use_case: str, settings: MonitoringSettings
) -> dict[str, Any]:
    """Every artefact of the comparison, made whole before any is written.

    Args:
        rows: Today's rows.
        former: The fields of `Former`.
        use_case: Whose.
        settings: What may vary.

    Returns:
        See `clientela.monitoring.run.monitored`.
    """
    return monitored(rows, Former(**former), settings, use_case)


def told(findings: Findings, settings: MonitoringSettings) -> tuple[dict[str, Any], dict[str, str]]:
    """The state of the model, after everybody was told; and the sentences that end the run.

    Args:
        findings: What was found; all its artefacts are written by now.
        settings: Who is told.
    """
    told_to: list[dict[str, Any]] = []
    if findings.alert is not None:
        logger.warning("alert %s", findings.alert.payload().decode())
        to = settings.alerts
        kinds = {"webhook": to.webhook_variable, "sns": to.sns_topic_variable}
        sent = sent_alert(findings.alert, kinds, os.environ, to.deadline_seconds)
        told_to = [asdict(each) for each in sent]
    return state_of(findings, told_to), headline_of(findings)
