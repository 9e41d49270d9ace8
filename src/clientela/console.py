"""Tables for people at a terminal, never narrower than what they say."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def whole_table(table: "Table") -> "Console":
    """Prints a table at its full width: a name or a path that breaks in two can't be copied.

    Args:
        table: For people.

    Returns:
        The console, for what is said below it.
    """
    from rich.console import Console  # noqa: PLC0415 - only where a table is shown
    from rich.measure import Measurement  # noqa: PLC0415

    console = Console(soft_wrap=True)
    unlimited = console.options.update(width=10**6)
    console.width = max(console.width, Measurement.get(console, unlimited, table).maximum)
    if table.row_count:
        console.print(table)
    return console
