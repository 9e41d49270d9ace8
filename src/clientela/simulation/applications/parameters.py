"""What a simulated file of applications looks like: size, seed, judged share and dirt."""

from pydantic import BaseModel, ConfigDict, Field

from clientela.simulation.parameters import Share
from clientela.simulation.single_table import TableSimulation


class ApplicationDirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
    missing_amount: Share = Field(0.0005, description="Empty Credit amount.")
    negative_amount: Share = Field(0.0005, description="A Credit amount below zero.")
    unparseable_duration: Share = Field(0.0005, description="A Duration that is no number.")
    impossible_age: Share = Field(0.0005, description="An Age that nobody reaches.")
    written_gap: Share = Field(0.0005, description="A Checking account written as NA.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the savings.")


class ApplicationSimulation(TableSimulation):
    """One simulated file of applications; equal parameters give equal bytes."""

    rows: int = Field(
        2_000, ge=100, le=50_000_000, description="Applications, added duplicates not counted."
    )
    adjudicated: float = Field(
        0.3, ge=0, le=1, description="Share of the applications whose Risk a person has judged."
    )
    dirt: ApplicationDirtShares | None = Field(
        None, description="Share of rows per kind; null for a clean sample."
    )
