"""What is compared: every way to compute the features, and what its result must equal."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Variant:
    """One way to get from two Parquet files to one row per customer.

    Attributes:
        name: Its module in `variants`.
        title: What the table calls it.
        answer: Variants with the same answer must give the same result.
        most_rows: The largest table that it is tried on; None: any.
        once: Whether it runs once, without warm-up: it takes so long that noise is irrelevant.
    """

    name: str
    title: str
    answer: Literal["count and sum", "features", "features at one date"] = "features"
    most_rows: int | None = None
    once: bool = False


GROUP_BY = "group_by"
OURS = "clientela_features"
OURS_200MB = "clientela_features_200mb"
OURS_CALENDAR = "clientela_features_calendar"
NOTEBOOK = "pandas_notebook"

VARIANTS = (
    Variant(GROUP_BY, "plain group-by", answer="count and sum"),
    Variant(OURS, "Clientela features"),
    Variant(OURS_200MB, "Clientela, 200 MB limit"),
    Variant(OURS_CALENDAR, "Clientela, calendar cutoff", answer="features at one date"),
    Variant("duckdb_sql", "hand-written DuckDB SQL"),
    Variant("polars_lazy", "Polars, lazy"),
    Variant("pandas_careful", "pandas, careful"),
    Variant(NOTEBOOK, "pandas, notebook style", most_rows=1_000_000, once=True),
)
