"""What is asked in one run: every row once, and some again to see if the answer is stable."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from clientela.labelling.answers import AnswerStore, Remembering
from clientela.labelling.cases import Case
from clientela.labelling.estimate import Estimate, estimate, require_affordable, sentence
from clientela.labelling.labeller import Labeller
from clientela.labelling.outcomes import Handling, Outcome, outcomes
from clientela.labelling.settings import LabellingSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opinion:
    """Rows that are asked about once.

    Attributes:
        cases: The rows.
        labeller: Who is asked, and remembers this opinion apart from others.
    """

    cases: Sequence[Case]
    labeller: Remembering


def opinions(
    cases: Sequence[Case], labeller: Labeller, store: AnswerStore, settings: LabellingSettings
) -> list[Opinion]:
    """The first opinion on every row, and further ones on rows drawn at random.

    Args:
        cases: The rows.
        labeller: Who labels.
        store: Answers so far.
        settings: How many rows are asked about again, and how often.

    Returns:
        The first opinion, then the further ones, all on the same drawn rows.
    """

    def remembering(repeat: int) -> Remembering:
        return Remembering(labeller, store, repeat=repeat, retry_lost=settings.retry_lost)

    drawn = drawn_places(len(cases), settings)
    again = [cases[place] for place in drawn]
    repeats = settings.audit.stability_repeats if again else 1
    further = [Opinion(again, remembering(repeat)) for repeat in range(1, repeats)]
    return [Opinion(cases, remembering(0)), *further]


def drawn_places(rows: int, settings: LabellingSettings) -> list[int]:
    """Places of the rows that are asked about again.

    Args:
        rows: How many there are.
        settings: How many are drawn.

    Returns:
        Places, increasing.
    """
    wanted = min(settings.audit.stability_rows, rows)
    places = pd.Series(range(rows)).sample(wanted, random_state=settings.seed)
    return sorted(int(place) for place in places)


def announce(asked: Sequence[Opinion], labeller: Labeller, settings: LabellingSettings) -> None:
    """Says what a run is going to cost, and refuses one that the budget will hardly let end.

    Args:
        asked: All opinions.
        labeller: Who labels.
        settings: Prices and budget.

    Raises:
        LabellingError: The likely cost is more than the budget; nothing was spent.
    """
    model = settings.language_model
    if model is None:
        logger.info("%d rows are labelled by %s, offline", len(asked[0].cases), labeller.source)
        return
    whole = sum(
        (estimate(opinion.cases, opinion.labeller) for opinion in asked), start=Estimate(0, 0)
    )
    logger.info("%s", sentence(whole, labeller.source, model.prices))
    require_affordable(whole, settings.budget, model.prices)


def heard(asked: Sequence[Opinion], store: AnswerStore, handling: Handling) -> list[list[Outcome]]:
    """What came of each opinion.

    Args:
        asked: All opinions.
        store: Where their answers are kept.
        handling: How rows are worked through.

    Returns:
        One list of outcomes per opinion.

    Raises:
        LabellingError: No row can get an answer any more; what was answered is kept.
    """
    try:
        return [outcomes(opinion.cases, opinion.labeller, handling) for opinion in asked]
    finally:
        store.compact()
