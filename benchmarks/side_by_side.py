"""Prints what the variants took, beside one another and as multiples of the plain group-by."""

from collections.abc import Mapping

from rich.table import Table

from interleaved_runs import Measured
from registry import GROUP_BY, NOTEBOOK, OURS, OURS_200MB, Variant


def side_by_side(title: str, measured: Mapping[Variant, Measured]) -> Table:
    """One row per variant: seconds, peak memory, and multiples of the group-by.

    Args:
        title: What was measured.
        measured: Medians per variant.

    Returns:
        A table to print, with the figures that the project promises below it.
    """
    table = Table(title=title, caption=_promises(measured), caption_justify="left")
    table.add_column("variant")
    for name in ("wall s", "x group-by", "CPU s", "x group-by", "peak MB"):
        table.add_column(name, justify="right")
    base = _named(measured).get(GROUP_BY)
    for variant, taken in measured.items():
        table.add_row(
            variant.title,
            f"{taken.wall_seconds:.2f}",
            _multiple(taken.wall_seconds, base and base.wall_seconds),
            f"{taken.cpu_seconds:.2f}",
            _multiple(taken.cpu_seconds, base and base.cpu_seconds),
            f"{taken.peak_mb:.0f}",
        )
    return table


def _promises(measured: Mapping[Variant, Measured]) -> str:
    """What the project promises of wall times, as far as the variants for it ran."""
    wall = {name: taken.wall_seconds for name, taken in _named(measured).items()}
    promises = (
        (OURS, GROUP_BY, "features over group-by: {} (at most 5 at 10 million rows)"),
        (OURS_200MB, OURS, "with 200 MB over without limit: {} (at most 2.5)"),
        (NOTEBOOK, OURS, "notebook-style pandas over features: {} (at least 20)"),
    )
    return "\n".join(
        sentence.format(_multiple(wall[over], wall[under]))
        for over, under, sentence in promises
        if over in wall and under in wall
    )


def _named(measured: Mapping[Variant, Measured]) -> dict[str, Measured]:
    return {variant.name: taken for variant, taken in measured.items()}


def _multiple(seconds: float, base: float | None) -> str:
    return f"{seconds / base:.1f}x" if base else ""
