"""Tables in a terminal of any width: a name that does not fit goes on below, and nothing is cut."""

from collections.abc import Iterable, Sequence

from rich.table import Table


def whole_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], folding: Iterable[str]
) -> Table:
    """A table whose every character is shown.

    Args:
        columns: Their names.
        rows: One cell for each column.
        folding: Columns that may be folded where the terminal is narrow; the others keep the width
            of their content.

    Returns:
        The table.
    """
    rows, folding = list(rows), set(folding)
    table = Table(show_edge=False, pad_edge=False)
    for name, *cells in zip(columns, *rows, strict=True):
        whole = None if name in folding else max(map(len, (name, *cells)))
        table.add_column(name, overflow="fold", min_width=whole)
    for row in rows:
        table.add_row(*row)
    return table
