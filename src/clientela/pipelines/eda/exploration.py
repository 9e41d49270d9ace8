"""What an exploration looks at, and everything that was learned about one entry."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, PositiveInt

from clientela.exceptions import InvalidTargetError, did_you_mean
from clientela.models.metrics import quadratic_weighted_kappa
from clientela.pipelines.eda.association import Counts, build_contingency_matrix, rank_associations
from clientela.pipelines.eda.column_profile import Profile
from clientela.settings_base import FrozenSettings
from clientela.text import NumberFormat


class EdaParameters(FrozenSettings):
    """What the exploration of one entry looks at, and when it says something.

    Attributes:
        keys: Columns that identify rows or people; they are counted and never shown. The first one
            that a table has is its own key.
        leave_out: Columns that are not explored, as patterns such as `recencia_*`: a wide table
            says the same thing many times.
        codes: Columns of numbers that name something, and are explored as categories.
        top_categories: Categories shown by name; the rest is summed up.
        max_categories: Text with more distinct values than this is no category and is not listed.
        min_rows: Values with fewer rows are never shown by name.
        skewed_above: Absolute skewness from which a logarithm is recommended.
        heavy_tailed_above: Excess kurtosis from which robust scaling and checks of ranges are
            recommended.
        constant_above: Share of the commonest value from which a column is near-constant.
        correlated_above: Absolute correlation from which two columns say the same.
        missing_above: Share of missing values worth a warning.
        suspicious_auc: AUC of one column alone from which it may know the target.
    """

    keys: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    top_categories: PositiveInt = 12
    max_categories: PositiveInt = 200
    min_rows: PositiveInt = 5
    skewed_above: float = Field(default=2.0, gt=0)
    heavy_tailed_above: float = Field(default=30.0, gt=0)
    constant_above: float = Field(default=0.99, gt=0, le=1)
    correlated_above: float = Field(default=0.95, gt=0, le=1)
    missing_above: float = Field(default=0.2, ge=0, le=1)
    suspicious_auc: float = Field(default=0.95, gt=0.5, le=1)
    numbers: NumberFormat = NumberFormat()


Frames = Mapping[str, pd.DataFrame]

TARGET_TABLE = "model_input"
"""How the table is called whose columns are held against the target."""


class TargetSchema(BaseModel, frozen=True, extra="ignore"):
    """What the model input's schema says of the target; the rest of it is not asked for here.

    Attributes:
        classes: Its classes in order; none for a target that is a number.
    """

    target: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A target of classes, and the columns against it.

    Attributes:
        classes: Its classes in order.
        correlations: See `compute_correlations`; the target's codes included.
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
        activity: See `aggregate_activity`; None where it has no transactions.
        target: None where there is none, or it is a number.
        persistence: None where no category is followed.
    """

    entry: str
    profiles: tuple[Profile, ...]
    activity: Frames | None = None
    target: Target | None = None
    persistence: Persistence | None = None


def build_target(frames: Frames, meaning: TargetSchema) -> Target | None:
    """The target's frames put together.

    Raises:
        UnusableTarget: The data holds a class that nobody named.
    """
    if not meaning.classes:
        return None
    rows = dict(zip(frames["class_counts"]["class"], frames["class_counts"]["rows"], strict=True))
    unknown = sorted(set(rows) - set(meaning.classes))
    if unknown:
        raise InvalidTargetError(
            f"{meaning.target!r} should hold the classes {', '.join(meaning.classes)}, but also "
            f"holds {', '.join(unknown)}. {did_you_mean(unknown[0], meaning.classes)} Run "
            "the stage that writes the model input again, or name the class in its configuration."
        )
    by_category = rank_associations(frames["categories"], meaning.classes)
    return Target(
        name=meaning.target,
        classes=meaning.classes,
        counts=tuple(int(rows.get(name, 0)) for name in meaning.classes),
        bins=frames["bins"],
        means=frames["means"],
        correlations=frames["correlations"],
        associations=rank_associations(frames["bins"], meaning.classes),
        category_associations=by_category.sort_values(
            ["cramers_v", "column"], ascending=[False, True]
        ),
    )


def build_persistence(frames: Frames, classes: tuple[str, ...]) -> Persistence:
    """The frames of persistence put together, and how far the two windows agree."""
    question = frames["question"].iloc[0]
    start, middle, end = (
        str(pd.Timestamp(question[name]).date()) for name in ("start", "middle", "end")
    )
    counts = build_contingency_matrix(frames["pairs"], len(classes))
    scale = np.arange(len(counts), dtype=np.float64)
    return Persistence(
        category=str(question["category"]),
        months=int(question["months"]),
        borders=(start, middle, end),
        classes=classes,
        counts=counts,
        kappa=float(quadratic_weighted_kappa(counts, scale)) if counts.sum() else float("nan"),
    )
