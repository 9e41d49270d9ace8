"""Prints what the variants took, beside one another and as multiples of a plain one."""

from collections.abc import Mapping

from rich.table import Table

from interleaved_runs import Measured
from variant import Benchmark, Variant


def side_by_side(title: str, measured: Mapping[Variant, Measured], benchmark: Benchmark) -> Table:
    """One row per variant: seconds, peak memory, and multiples of the variant it stands against.

    Args:
        title: What was measured.
        measured: Medians per variant.
        benchmark: What is compared, and promised.

    Returns:
        A table to print, with the figures that the project promises below it.
    """
    table = Table(title=title, caption=_promises(measured, benchmark), caption_justify="left")
    table.add_column("variant")
    multiple = f"x {benchmark.base}"
    for name in ("wall s", multiple, "CPU s", multiple, "peak MB"):
        table.add_column(name, justify="right")
    named = _named(measured)
    for variant, taken in measured.items():
        base = named.get(variant.against or "")
        table.add_row(
            variant.title,
            f"{taken.wall_seconds:.2f}",
            _multiple(taken.wall_seconds, base and base.wall_seconds),
            f"{taken.cpu_seconds:.2f}",
            _multiple(taken.cpu_seconds, base and base.cpu_seconds),
            f"{taken.peak_mb:.0f}",
        )
    return table


def _promises(measured: Mapping[Variant, Measured], benchmark: Benchmark) -> str:
    """What the project promises of wall times, as far as the variants for it ran."""
    wall = {name: taken.wall_seconds for name, taken in _named(measured).items()}
    return "\n".join(
        promise.sentence.format(_multiple(wall[promise.over], wall[promise.under]))
        for promise in benchmark.promises
        if promise.over in wall and promise.under in wall
    )


def _named(measured: Mapping[Variant, Measured]) -> dict[str, Measured]:
    return {variant.name: taken for variant, taken in measured.items()}


def _multiple(seconds: float, base: float | None) -> str:
    """With two decimals where a multiple is small and its first decimal would hide the promise."""
    if not base:
        return ""
    times = seconds / base
    return f"{times:.2f}x" if times < 2 else f"{times:.1f}x"  # noqa: PLR2004
