"""The frames of one table's exploration, put together for those who read them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Profile:
    """What is known of one table, in small frames.

    Attributes:
        name: The table.
        columns: One row per column: `quality`, `quantiles` and `shapes` side by side.
        repeated: Rows that say again what another says; None where rows are not compared.
        histograms: See `clientela.reports.distributions.histograms`.
        categories: See `clientela.reports.distributions.category_counts`.
    """

    name: str
    columns: pd.DataFrame
    repeated: int | None
    histograms: pd.DataFrame
    categories: pd.DataFrame

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.columns["rows"].iloc[0])

    @property
    def numbers(self) -> pd.DataFrame:
        """The numeric columns."""
        return self.columns[self.columns["kind"] == "number"]


def profile_of(
    name: str, quality: Mapping[str, pd.DataFrame], distributions: Mapping[str, pd.DataFrame]
) -> Profile:
    """One table's profile.

    Args:
        name: The table.
        quality: `quality`, `quantiles`, `repeated_rows`.
        distributions: `shapes`, `histograms`, `categories`.

    Returns:
        The frames side by side, columns in the table's order.
    """
    columns = quality["quality"].merge(quality["quantiles"], on="column", how="left")
    columns = columns.merge(distributions["shapes"], on="column", how="left")
    columns["present"] = columns["rows"] - columns["missing"]
    repeated = quality["repeated_rows"]["repeated"].iloc[0]
    return Profile(
        name=name,
        columns=columns.sort_values("place").reset_index(drop=True),
        repeated=None if pd.isna(repeated) else int(repeated),
        histograms=distributions["histograms"],
        categories=distributions["categories"],
    )


def categorical_columns(quality: pd.DataFrame, max_categories: int) -> list[str]:
    """Text columns with few enough values to be categories; others may name people.

    Args:
        quality: See `clientela.reports.quality.quality`.
        max_categories: Most distinct values.

    Returns:
        Column names in the table's order.
    """
    text = quality[(quality["kind"] == "category") & (quality["distinct"] <= max_categories)]
    return [str(name) for name in text.sort_values("place")["column"]]
