"""A card that can't lie: figures that are missing or contradict each other fail the run."""

from collections.abc import Mapping
from math import isclose
from typing import Any

import numpy as np
import pandas as pd

from clientela.exceptions import CardContradiction
from clientela.modelling.card.facts import CardFacts
from clientela.modelling.selection.evaluation import IDENTITY
from clientela.modelling.selection.test_part import CHAMPION, REQUIRED


def check_card(facts: CardFacts, rows: int) -> None:
    """Refuse to write a card from artefacts that do not belong together.

    Args:
        facts: What the card would tell.
        rows: Rows of the model input.

    Raises:
        CardContradiction: Something is empty or contradicts.
    """
    _check_filled(facts.table, facts.grades, facts.predictions)
    _check_champion(facts)
    said = facts.predictions[facts.predictions["model"] == CHAMPION]
    hits = float((said["true"] == said["predicted"]).mean())
    graded, manifest = facts.grades, facts.manifest
    _require(
        {
            "training and test part add up": manifest["training_rows"] + graded["rows"] == rows,
            "the classes add up": sum(c["rows"] for c in facts.classes.values()) == rows,
            "every test row was graded": len(said) == graded["rows"],
            "the champion's accuracy is that of its predictions": isclose(
                hits, graded["models"][CHAMPION]["accuracy"]["value"]
            ),
        }
    )


def _check_champion(facts: CardFacts) -> None:
    table, champion = facts.table, facts.choice["champion"]
    metric, rule = facts.choice["primary_metric"], facts.choice["best_rule"]["candidate"]
    same = (table[list(IDENTITY)] == [champion[name] for name in IDENTITY]).all(axis=1)
    listed = table.loc[same, metric].tolist()
    _require(
        {
            "the champion stands once in the leaderboard, with its figure": len(listed) == 1
            and isclose(listed[0], champion[metric]),
            "no rule is champion": champion["role"] != "rule",
            "the stored champion is the chosen one": (
                facts.manifest["candidate"] == champion["candidate"]
            ),
            "the primary metric is the same everywhere": facts.manifest["primary_metric"] == metric,
            "champion, baseline and best rule were tested": (
                {CHAMPION, REQUIRED, rule} <= set(facts.grades["models"])
            ),
        }
    )


def _check_filled(
    table: pd.DataFrame, grades: Mapping[str, Any], predictions: pd.DataFrame
) -> None:
    _require(
        {
            "the leaderboard has rows": len(table) > 0,
            "its figures are finite": bool(
                np.isfinite(table.select_dtypes("number").to_numpy(dtype=np.float64)).all()
            ),
            "the test has graded models": bool(grades.get("models")),
            "the champion was tested": CHAMPION in grades.get("models", {}),
            "the test predictions have rows": len(predictions) > 0,
        }
    )


def _require(facts: Mapping[str, bool]) -> None:
    broken = [fact for fact, holds in facts.items() if not holds]
    if broken:
        raise CardContradiction(
            f"The model card would contradict the run's own artefacts; this should hold: "
            f"{'; '.join(broken)}. Artefacts of different runs may have been mixed: run the whole "
            "training stage again."
        )
