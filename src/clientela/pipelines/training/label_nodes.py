"""Nodes of the training stage that only use cases with made labels have."""

import logging
from typing import Any

import pandas as pd

from clientela.labelling.learning_curve import equivalent_size, learning_curve
from clientela.labelling.settings import LabellingSettings
from clientela.labelling.truth_test import truth_grades as grades_of
from clientela.modelling.card.label_section import LabelFacts, worth_sentence
from clientela.modelling.problem import Problem
from clientela.tabular.params import TabularFeatureParams

logger = logging.getLogger(__name__)


def truth_grades(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    problem: Problem,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> dict[str, Any]:
    """Figures against labels and truth; see `clientela.labelling.truth_test`."""
    return grades_of(predictions, labels, features.target, problem, settings.audit.least_judged)


def label_curve(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    features_of_cases: pd.DataFrame,
    labels: pd.DataFrame,
    choice: dict[str, Any],
    problem: Problem,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> pd.DataFrame:
    """True labels beside made ones; see `clientela.labelling.learning_curve`."""
    return learning_curve(
        features_of_cases, labels, choice, features.target, problem, settings.audit
    )


def label_facts(
    audit: dict[str, Any], shares: pd.DataFrame, grades: dict[str, Any], curve: pd.DataFrame
) -> LabelFacts:
    """What the card tells of made labels.

    Args:
        audit: See `clientela.labelling.audit.audit`.
        shares: See `clientela.labelling.audit.group_shares`.
        grades: See `truth_grades`.
        curve: See `label_curve`.
    """
    facts = LabelFacts(audit, shares, grades, curve, equivalent_size(curve))
    worth = worth_sentence(facts)
    if worth is not None:
        logger.info("%s", worth)
    return facts
