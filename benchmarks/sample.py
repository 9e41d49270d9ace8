"""Where the tables of one size lie, once they have been drawn."""

from dataclasses import dataclass
from pathlib import Path

from child_process import child


@dataclass(frozen=True)
class Sample:
    """The two tables of one size.

    Attributes:
        folder: The folder of all sizes.
        rows: How many transactions.
    """

    folder: Path
    rows: int

    @property
    def transactions(self) -> Path:
        """One row per transaction."""
        return self.folder / f"transactions-{self.rows}.parquet"

    @property
    def customers(self) -> Path:
        """One row per customer."""
        return self.folder / f"customers-{self.rows}.parquet"

    def drawn(self) -> "Sample":
        """The same sample, its tables written unless they already were."""
        if not (self.transactions.exists() and self.customers.exists()):
            child("draw_sample.py", str(self.rows), str(self.transactions), str(self.customers))
        return self
