"""Our features where the engine may take 200 MB: large tables are computed in buckets."""

from pathlib import Path

from variants.clientela_features import LAST_TRANSACTION, save_features


def save(transactions: Path, customers: Path, output: Path) -> None:
    """Writes one row per customer with the required features.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
    """
    engine = {"memory_limit": "200MB"}
    save_features(transactions, customers, output, LAST_TRANSACTION, engine)
