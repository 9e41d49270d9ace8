"""The few figures that a run ends with."""

from collections.abc import Mapping, Sequence
from typing import Any

from clientela.modelling.card.verdict import verdict
from clientela.modelling.selection.test_part import CHAMPION


def headline(
    choice: Mapping[str, Any],
    grades: Mapping[str, Any],
    rows: int,
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """The champion against the best business rule and the required baseline, in one mapping.

    Args:
        choice: See `clientela.modelling.selection.champion.champion_choice`.
        grades: See `clientela.modelling.selection.test_part.holdout_grades`.
        rows: Rows of the model input.
        warnings: What must be said before the verdict.

    Returns:
        JSON-ready figures of the primary metric: cross-validation means, the test with its 95 %
        interval, and the verdict.
    """
    metric = choice["primary_metric"]
    champion, found = choice["champion"], verdict(choice, grades)
    test = grades["models"][CHAMPION][metric]
    return {
        "rows": rows,
        "metric": metric,
        "champion": champion["candidate"],
        "decision": champion["decision"],
        "champion_cv": champion[metric],
        "champion_cv_sd": champion[f"{metric}_sd"],
        "best_rule": choice["best_rule"]["candidate"],
        "best_rule_cv": choice["best_rule"][metric],
        "required": choice["required"]["candidate"],
        "required_cv": choice["required"][metric],
        "champion_test": test["value"],
        "ci": [test["lower"], test["upper"]],
        "beats_best_rule": found.beats == "yes",
        "sentence": " ".join((*warnings, found.sentence)),
    }
