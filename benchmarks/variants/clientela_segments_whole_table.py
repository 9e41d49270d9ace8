"""Our segments as a first run makes them, from the whole table as the catalog loads it."""

from pathlib import Path

from clientela.datasets.table import TableDataset
from segment_task import KEY, STARTS, Placement, written
from variants.clientela_segments import Week, placed, week

__all__ = ["found", "loaded", "written"]


def loaded(features: Path, customers: Path, model: Path) -> Week:
    """Every column, those for reports too.

    Args:
        features: One row per customer.
        customers: Last week's segments of the customers.
        model: Last week's.

    Returns:
        This week and the last one.
    """
    table = TableDataset(filepath=str(features), order_by=KEY, load_as="pandas")
    return week(table.load(), customers, model)


def found(week: Week) -> Placement:
    """A first model, and who is in which segment.

    Args:
        week: Of last week only the layout counts.

    Returns:
        A segment per active customer.
    """
    return placed(week, STARTS, None)
