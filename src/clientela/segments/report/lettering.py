"""Names on axes: they fit, lean where they are many, and are written as they are."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from clientela.reports.style import shortened

TICK_LETTERS = 22
UPRIGHT = 4
"""Most names that fit side by side without leaning."""


def beside_and_below(panel: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Names beside the rows and below the columns of a heat map.

    Args:
        panel: Where.
        rows: Top to bottom.
        columns: Left to right.
    """
    panel.set_yticks(range(len(rows)), [plain(name) for name in rows])
    panel.set_xticks(range(len(columns)), [plain(name) for name in columns])
    if len(columns) > UPRIGHT:
        for tick in panel.get_xticklabels():
            tick.set(rotation=38, ha="right", rotation_mode="anchor")


def plain(name: str, letters: int = TICK_LETTERS) -> str:
    """A name that fits and is written as it is: matplotlib reads `$...$` as a formula.

    Args:
        name: As people read it.
        letters: Most letters.

    Returns:
        What to hand to matplotlib.
    """
    return shortened(name, letters).replace("$", r"\$")
