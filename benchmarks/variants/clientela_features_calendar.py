"""Our features at one date for everybody, three months before the end of the sample."""

from datetime import date
from pathlib import Path

from clientela.features.transactions import Cutoff
from variants.clientela_features import PARAMS, save_features

CALENDAR = Cutoff("calendar", as_of=date(2024, 4, 1), target_months=PARAMS.target_months)


def save(transactions: Path, customers: Path, output: Path) -> None:
    """Writes one row per customer with the required features.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
    """
    save_features(transactions, customers, output, CALENDAR, {})
