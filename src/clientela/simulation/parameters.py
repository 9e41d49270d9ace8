"""What a simulated retailer looks like: size, dates, seed and dirt."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=0.05, description="Share of all rows, 0 to 0.05.")]


def occurring_shares(dirt: BaseModel | None) -> dict[str, float]:
    """Shares of the kinds of dirt that occur at all.

    Args:
        dirt: A model whose fields are kinds and whose values are shares; None for no dirt.
    """
    shares: dict[str, float] = dirt.model_dump() if dirt else {}
    return {kind: share for kind, share in shares.items() if share > 0.0}


class DirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most.

    The defaults spoil about half a per cent of the rows, so that every kind occurs in the default
    sample and ingestion still passes its threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
    conflicting_duplicate: Share = Field(
        0.0003, description="Further row with an earlier row's id and another amount."
    )
    missing_transaction_id: Share = Field(0.0003, description="Empty id_transaccion.")
    missing_customer_id: Share = Field(0.0005, description="Empty id_cliente.")
    unknown_customer: Share = Field(
        0.0005, description="Well-formed id_cliente that the customers table lacks."
    )
    impossible_date: Share = Field(0.0005, description="A day no calendar has, 2023-02-30.")
    year_out_of_range: Share = Field(0.0003, description="A real day in 1904 or 2192.")
    unparseable_amount: Share = Field(0.0005, description="Text that is no number, as 12.5x.")
    missing_amount: Share = Field(0.0005, description="Empty valor_transaccion.")
    excess_decimals: Share = Field(0.0004, description="An amount with three decimals.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the amount.")


class TransactionSimulation(BaseModel):
    """One simulated retailer; equal parameters give equal bytes.

    `chunk_rows` belongs to the identity of the data: every chunk of customers draws from its own
    random stream, so another chunk size gives another (equally valid) sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customers: int = Field(4_000, ge=1, le=50_000_000, description="Rows of the customers table.")
    transactions: int = Field(
        200_000, ge=1, le=2_000_000_000, description="Transactions, added duplicates not counted."
    )
    start: date = Field(date(2022, 7, 1), description="First day with transactions.")
    end: date = Field(date(2024, 6, 30), description="Last day with transactions, included.")
    seed: int = Field(20240630, ge=0, description="Seed of every random draw.")
    dirt: DirtShares | None = Field(
        default_factory=DirtShares, description="Share of rows per kind; null for a clean sample."
    )
    chunk_rows: int = Field(
        250_000, ge=1_000, le=2_000_000, description="Transactions held in memory at a time."
    )

    @property
    def dirt_shares(self) -> dict[str, float]:
        """Shares of the kinds of dirt that occur at all."""
        return occurring_shares(self.dirt)

    @model_validator(mode="after")
    def _window_has_a_day(self) -> Self:
        if self.end < self.start:
            message = (
                f"expected end >= start, got start={self.start} and end={self.end}: "
                "swap them or move one of them"
            )
            raise ValueError(message)
        return self
