"""What a benchmark is made of: ways to do one task, and what is promised of their times."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sample import Sample


@dataclass(frozen=True)
class Variant:
    """One way to get from the sample's files to a result.

    Attributes:
        name: Its module in `variants`.
        title: What the table calls it.
        answer: Variants with the same answer must give the same result.
        against: The variant of whose time its own is shown as a multiple; None: of none.
        most_rows: The largest table that it is tried on; None: any.
        once: Whether it runs once, without warm-up: it takes so long that noise is irrelevant.
        interpreter: The Python of an environment of its own, for a library that can't be installed
            beside ours; such a variant runs where the command line names it. None: this Python.
    """

    name: str
    title: str
    answer: str = ""
    against: str | None = None
    most_rows: int | None = None
    once: bool = False
    interpreter: Path | None = None


@dataclass(frozen=True)
class Promise:
    """What the project says of the wall times of two variants.

    Attributes:
        over: The variant that takes longer.
        under: The one that it is compared with.
        sentence: With `{}` where the multiple goes.
    """

    over: str
    under: str
    sentence: str


@dataclass(frozen=True)
class Benchmark:
    """One task, done in several ways.

    Attributes:
        description: For the command line.
        unit: What a row of the sample is.
        base: What the tables call the variants that others are multiples of.
        sizes: How many rows, unless the command line says otherwise.
        sample: The files of one size in a folder.
        variants: What is compared.
        promises: What is printed below a table.
    """

    description: str
    unit: str
    base: str
    sizes: tuple[int, ...]
    sample: Callable[[Path, int], Sample]
    variants: tuple[Variant, ...]
    promises: tuple[Promise, ...]
