"""What a simulated WiFi looks like: size, date, seed, form of the table and dirt."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from clientela.simulation.parameters import Share
from clientela.simulation.single_table import TableSimulation


class ChurnDirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
    missing_user_id: Share = Field(0.0005, description="Empty user_id.")
    negative_session: Share = Field(0.0005, description="An avg_session below zero.")
    impossible_date: Share = Field(0.0005, description="A last_visit that no calendar has.")
    unparseable_visits: Share = Field(0.0005, description="Visits that are no number.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the mall.")


class ChurnSimulation(TableSimulation):
    """One simulated WiFi; equal parameters give equal bytes."""

    rows: int = Field(
        100_000, ge=100, le=50_000_000, description="Users, added duplicates not counted."
    )
    seed: int = Field(
        5, ge=0, description="Seed of every random draw; the default has users of average luck."
    )
    as_of: date = Field(date(2024, 6, 30), description="Day of the export; visits end before it.")
    derived_columns: bool = Field(
        default=True, description="Whether totals, rates, engagement and age groups are added."
    )
    one_hot: bool = Field(
        default=False, description="Whether each category becomes a column of 0 and 1."
    )
    dirt: ChurnDirtShares | None = Field(
        None, description="Share of rows per kind; null for a clean sample."
    )
    chunk_rows: int = Field(
        100_000, ge=1_000, le=2_000_000, description="Users held in memory at a time."
    )
