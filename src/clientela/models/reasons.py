"""Why a case was decided as it was: true reasons that can be told to the person concerned.

The features that say one thing form one reason code. What a code adds to a case's score is compared
with what it adds on average to the learned cases that were decided the other way: the codes of a
refused case are those that set it apart from the approved ones, and the other way round. All
differences of a case add up to the distance of its score from that average, so where the score
orders the decisions at least one of them points towards the decision.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError
from clientela.models.explanations import contributions
from clientela.models.problem import TASKS, Problem
from clientela.models.settings import ReasonCode
from clientela.models.stored_model import StoredModel

# Reasons of one case, at most: more would not be read (12 CFR 1002.9 comment 9(b)(2)-1).
MOST_REASONS = 4

# Differences below this are rounding.
LEAST_DIFFERENCE = 1e-9


def group_features(problem: Problem) -> dict[str, list[str]]:
    """Each reason code with its features among those that may decide.

    Features of withheld columns that a person keeps have a code of their own: the column's name.

    Raises:
        ConfigurationError: A feature has no code or several ones, or a code has no feature.
    """
    schema, settings = problem.schema, problem.settings
    groups: dict[str, list[str]] = {name: [] for name in settings.reason_codes}
    for feature in schema.features("deciding"):
        if feature in schema.withheld:
            groups.setdefault(schema.withheld[feature][0], []).append(feature)
            continue
        codes = [name for name, code in settings.reason_codes.items() if _matches(feature, code)]
        if len(codes) != 1:
            found = f"is in {', '.join(codes)}" if codes else "is in none"
            raise ConfigurationError(
                "training.reason_codes should name each feature that may decide in one code, but "
                f"{feature!r} {found}. Add it to the features of one of "
                f"{', '.join(settings.reason_codes)}, or give it a code of its own."
            )
        groups[codes[0]].append(feature)
    empty = [name for name, features in groups.items() if not features]
    if empty:
        raise ConfigurationError(
            f"training.reason_codes.{empty[0]}: no feature that may decide is called "
            f"{', '.join(settings.reason_codes[empty[0]].features)}. Remove the code, or correct "
            "the names."
        )
    return groups


def _matches(feature: str, code: ReasonCode) -> bool:
    return any(fnmatchcase(feature, pattern) for pattern in code.features)


def build_reason_basis(model: StoredModel, train: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """What reasons are told from, for the manifest of the model that decides.

    Returns:
        `favourable`: code of the class that people hope for. `codes`: code to its `features` among
        those of the model, and its sentences `es` and `en`; without sentences where it may not be
        told. `reference`: `favourable` and `unfavourable`, each code to its mean contribution over
        the training rows that the model decides so (over all rows where there are none).

    Raises:
        ConfigurationError: See `group_features`.
    """
    fairness, known = problem.settings.fairness, set(model.features)
    if fairness is None:
        raise ConfigurationError(
            "training.reason_codes are for decisions about people: set training.fairness too, "
            "whose favourable says which class people hope for."
        )
    codes: dict[str, dict[str, Any]] = {}
    for name, features in group_features(problem).items():
        if inside := [feature for feature in features if feature in known]:
            told = problem.settings.reason_codes.get(name)
            sentences = {} if told is None else {"es": told.es, "en": told.en}
            codes[name] = {"features": inside, **sentences}
    X = train[model.features]
    decided = problem.task.predictions(model.estimator, X, model.manifest["decision"]).codes
    terms = _sum_by_code(contributions(model.estimator, X), codes)
    favourable = decided == fairness.favourable
    reference = {}
    for name, rows in (("favourable", favourable), ("unfavourable", ~favourable)):
        means = terms[rows if rows.any() else slice(None)].mean(axis=0)
        reference[name] = dict(zip(codes, means.tolist(), strict=True))
    return {"favourable": fairness.favourable, "codes": codes, "reference": reference}


def _sum_by_code(table: pd.DataFrame, codes: dict[str, dict[str, Any]]) -> Floats:
    return np.column_stack([table[code["features"]].sum(axis=1) for code in codes.values()])


@dataclass(frozen=True)
class Reason:
    """One reason of one decision.

    Attributes:
        amount: By how much the code moves the score towards the decision, in the model's unit,
            against the average case that was decided the other way.
        feature: The feature of the code that moves it most.
    """

    code: str
    amount: float
    feature: str


@dataclass(frozen=True)
class ExplainedDecision:
    """A decision and its reasons.

    Attributes:
        favourable: Whether it is the one that people hope for.
        referred: Whether a person must decide: the main reason may not be given, or nothing in the
            score speaks for the decision.
        reasons: The weightiest first; none where the case is referred.
    """

    favourable: bool
    referred: bool
    reasons: tuple[Reason, ...]


def explain_decisions(
    model: StoredModel, X: pd.DataFrame, most: int = MOST_REASONS
) -> list[ExplainedDecision]:
    """Each case's decision with its reasons, by a model whose manifest has `reasons`.

    Args:
        X: One row per case, with the features of the model.
        most: Reasons of a case, at most.
    """
    basis, manifest = model.manifest["reasons"], model.manifest
    decide = TASKS[manifest["task"]].predictions
    decided = decide(model.estimator, X, manifest["decision"]).codes
    favourable = decided == basis["favourable"]
    sign = np.where(decided == 1, 1.0, -1.0)[:, None]
    terms = contributions(model.estimator, X)
    reference = {name: np.array([*means.values()]) for name, means in basis["reference"].items()}
    # what sets a refused case apart from approved ones, and the other way round
    others = np.where(favourable[:, None], reference["unfavourable"], reference["favourable"])
    amounts = sign * (_sum_by_code(terms, basis["codes"]) - others)
    order, single = np.argsort(-amounts, axis=1, kind="stable"), sign * terms.to_numpy()
    names, columns = [*basis["codes"]], terms.columns
    inside = [columns.get_indexer(code["features"]) for code in basis["codes"].values()]
    explained = []
    for row, places in enumerate(order):
        reasons = tuple(
            Reason(
                names[place],
                float(amounts[row, place]),
                str(columns[inside[place][single[row, inside[place]].argmax()]]),
            )
            for place in places
            if amounts[row, place] > LEAST_DIFFERENCE
        )
        may_tell = [reason for reason in reasons if "es" in basis["codes"][reason.code]]
        referred = reasons[:1] != tuple(may_tell[:1]) or not reasons
        kept = () if referred else tuple(may_tell[:most])
        explained.append(ExplainedDecision(bool(favourable[row]), referred, kept))
    return explained
