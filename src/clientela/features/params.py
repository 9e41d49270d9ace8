"""What may vary in customer features: category, windows, cutoff."""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from clientela.folding import folded_word, slug_of

CutoffMode = Literal["last_transaction", "calendar"]


class FeatureParams(BaseModel):
    """Customer features, their cutoff and the target that begins there.

    Attributes:
        category: The target category, compared without accents and case.
        cutoff_mode: `last_transaction`: each customer's last transaction minus the target window;
            `calendar`: one date for everybody.
        as_of: The cutoff of calendar mode; None takes the latest one whose target window is whole.
        scoring_as_of: The cutoff for scoring; None takes the day after the last transaction.
        target_months: Length of the target window.
        window_months: Lengths of the two windows for counts, amounts and points.
        category_months: Length of the window for the category's amount and share.
        points_balance: `at_cutoff` takes the points moved at or after the cutoff off the balance;
            `snapshot` is the balance as extracted, which knows the future.
        purchase_types: Transaction types that count as purchases of the category; None: all.
        minimum_transactions: Transactions before the cutoff that a customer needs to be trained on.
        extended: Whether the features beyond the required list are computed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str = Field(min_length=1)
    cutoff_mode: CutoffMode = "last_transaction"
    as_of: date | None = None
    scoring_as_of: date | None = None
    target_months: PositiveInt = 3
    window_months: tuple[PositiveInt, PositiveInt] = (3, 6)
    category_months: PositiveInt = 12
    points_balance: Literal["at_cutoff", "snapshot"] = "at_cutoff"
    purchase_types: tuple[str, ...] | None = None
    minimum_transactions: int = Field(default=0, ge=0)
    extended: bool = True

    @model_validator(mode="after")
    def _windows_grow_and_name_columns(self) -> Self:
        short, long = self.window_months
        if short >= long:
            raise ValueError(f"window_months should grow, e.g. [3, 6]; got [{short}, {long}]")
        if not self.slug:
            raise ValueError(
                f"category {self.category!r} holds no letter or digit to name columns by"
            )
        return self

    @property
    def rubro(self) -> str:
        """The category as transactions are compared by."""
        return folded_word(self.category)

    @property
    def slug(self) -> str:
        """The category as it stands in column names: `tecnologia`."""
        return slug_of(self.category)

    @property
    def target(self) -> str:
        """The target's column name."""
        return f"target_compra_{self.slug}"
