"""Our features, each customer's past ending three months before their last transaction."""

from pathlib import Path
from typing import Any

from clientela.datasets.table import TableDataset
from clientela.features.settings import FeatureParams
from clientela.features.transactions import KEY, Cutoff, customer_features, required_columns

PARAMS = FeatureParams(category="TECNOLOGÍA", extended=False)
LAST_TRANSACTION = Cutoff("last_transaction", as_of=None, target_months=PARAMS.target_months)


def save(transactions: Path, customers: Path, output: Path) -> None:
    """Writes one row per customer with the required features.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
    """
    save_features(transactions, customers, output, LAST_TRANSACTION, {})


def save_features(
    transactions: Path, customers: Path, output: Path, cutoff: Cutoff, engine: dict[str, Any]
) -> None:
    """Writes the required features as the catalog's tables do.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
        cutoff: Where each customer's past ends.
        engine: Settings of the engine, as in `globals.yml`.
    """
    bought = TableDataset(filepath=str(transactions), engine=engine).load()
    people = TableDataset(filepath=str(customers), engine=engine).load()
    features = TableDataset(
        filepath=str(output), order_by="id_cliente", bucket_by="id_cliente", engine=engine
    )
    everything = customer_features(bought, people, cutoff, PARAMS)
    features.save(everything.select(KEY, *required_columns(PARAMS)))
