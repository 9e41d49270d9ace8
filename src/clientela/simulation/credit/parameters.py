"""What a simulated lender looks like: size, dates, seed and dirt."""

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clientela.simulation.parameters import Share
from clientela.simulation.single_table import TableSimulation


class CreditDirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
    impossible_date: Share = Field(0.0005, description="A fecha_prestamo that no calendar has.")
    missing_date: Share = Field(0.0005, description="Empty fecha_prestamo.")
    negative_capital: Share = Field(0.0005, description="A capital_prestado below zero.")
    negative_instalment: Share = Field(0.0005, description="A cuota_pactada below zero.")
    unparseable_salary: Share = Field(0.0005, description="A salary that is no number.")
    unknown_employment: Share = Field(0.0005, description="A tipo_laboral nobody defined.")
    missing_target: Share = Field(0.0005, description="Empty Pago_atiempo.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the age.")


class CreditSimulation(TableSimulation):
    """One simulated lender; equal parameters give equal bytes."""

    rows: int = Field(
        10_763, ge=100, le=50_000_000, description="Loans, added duplicates not counted."
    )
    start: date = Field(date(2024, 11, 26), description="First day with loans.")
    end: date = Field(date(2026, 4, 26), description="Last day with loans, included.")
    dirt: CreditDirtShares | None = Field(
        None, description="Share of rows per kind; null for the junk of the real file alone."
    )

    @model_validator(mode="after")
    def _window_has_a_day(self) -> Self:
        if self.end < self.start:
            message = (
                f"expected end >= start, got start={self.start} and end={self.end}: "
                "swap them or move one of them"
            )
            raise ValueError(message)
        return self
