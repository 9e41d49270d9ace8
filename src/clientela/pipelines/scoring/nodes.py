"""Nodes of the scoring stage."""

import pandas as pd

from clientela.modelling.scores import customer_scores
from clientela.modelling.settings import ScoringSettings
from clientela.modelling.storage.stored_model import StoredModel


def scores(
    champion: StoredModel, features: pd.DataFrame, settings: ScoringSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per customer (PII), once for each file form; see `clientela.modelling.scores`."""
    table = customer_scores(champion, features, settings)
    return table, table
