"""Everything that was learned about one entry of the switchboard, in small frames."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from pydantic import BaseModel, ConfigDict

from clientela.exceptions import UnusableTarget, did_you_mean
from clientela.reports.association import associations
from clientela.reports.persistence import Counts
from clientela.reports.profile import Profile

Frames = Mapping[str, pd.DataFrame]

TARGET_TABLE = "model_input"
"""How the table is called whose columns are held against the target."""


class TargetMeaning(BaseModel):
    """What the model input's schema says of the target; the rest of it is not asked for here.

    Attributes:
        target: Its column.
        classes: Its classes in order; none for a target that is a number.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    target: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A target of classes, and the columns against it.

    Attributes:
        name: Its column.
        classes: Its classes in order.
        counts: Rows per class.
        bins: See `clientela.reports.association.target_bins`.
        means: See `clientela.reports.association.class_means`.
        correlations: See `clientela.reports.association.correlations`; the target's codes included.
        associations: Numeric columns, strongest first.
        category_associations: Category columns, strongest first by Cramér's V.
    """

    name: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    bins: pd.DataFrame
    means: pd.DataFrame
    correlations: pd.DataFrame
    associations: pd.DataFrame
    category_associations: pd.DataFrame


@dataclass(frozen=True)
class Persistence:
    """Buying of one category in two windows that follow each other.

    Attributes:
        category: As configured.
        months: Length of each window.
        borders: First day of the earlier window, of the later one, and the day after it.
        classes: Names of the classes.
        counts: Customers by class before (row) and after (column).
        kappa: Quadratic weighted kappa of the two.
    """

    category: str
    months: int
    borders: tuple[str, str, str]
    classes: tuple[str, ...]
    counts: Counts
    kappa: float


@dataclass(frozen=True)
class Exploration:
    """What the report of one entry is made from.

    Attributes:
        entry: Its name.
        profiles: Its tables.
        activity: See `clientela.reports.activity.activity`; None where it has no transactions.
        target: None where there is none, or it is a number.
        persistence: None where no category is followed.
    """

    entry: str
    profiles: tuple[Profile, ...]
    activity: Frames | None = None
    target: Target | None = None
    persistence: Persistence | None = None


def target_of(frames: Frames, meaning: TargetMeaning) -> Target | None:
    """The target's frames put together.

    Args:
        frames: `class_counts`, `bins`, `categories`, `means`, `correlations`.
        meaning: The target's classes.

    Returns:
        None for a target without classes.

    Raises:
        UnusableTarget: The data holds a class that nobody named.
    """
    if not meaning.classes:
        return None
    rows = dict(zip(frames["class_counts"]["class"], frames["class_counts"]["rows"], strict=True))
    unknown = sorted(set(rows) - set(meaning.classes))
    if unknown:
        raise UnusableTarget(
            f"{meaning.target!r} should hold the classes {', '.join(meaning.classes)}, but also "
            f"holds {', '.join(unknown)}. {did_you_mean(unknown[0], meaning.classes)} Run "
            "the stage that writes the model input again, or name the class in its configuration."
        )
    by_category = associations(frames["categories"], meaning.classes)
    return Target(
        name=meaning.target,
        classes=meaning.classes,
        counts=tuple(int(rows.get(name, 0)) for name in meaning.classes),
        bins=frames["bins"],
        means=frames["means"],
        correlations=frames["correlations"],
        associations=associations(frames["bins"], meaning.classes),
        category_associations=by_category.sort_values(
            ["cramers_v", "column"], ascending=[False, True]
        ),
    )


def persistence_of(
    frames: Frames, classes: tuple[str, ...], counts: Counts, kappa: float
) -> Persistence:
    """The frames of persistence put together.

    Args:
        frames: `pairs` and `question`.
        classes: Names of the classes.
        counts: See `clientela.reports.persistence.contingency`.
        kappa: Quadratic weighted kappa of the counts.

    Returns:
        The finding.
    """
    question = frames["question"].iloc[0]
    days = [str(pd.Timestamp(question[name]).date()) for name in ("start", "middle", "end")]
    return Persistence(
        category=str(question["category"]),
        months=int(question["months"]),
        borders=(days[0], days[1], days[2]),
        classes=classes,
        counts=counts,
        kappa=kappa,
    )
