"""Where the tables of one size lie, once they have been drawn."""

from dataclasses import dataclass
from pathlib import Path

from child_process import child


@dataclass(frozen=True)
class Sample:
    """The files of one size.

    Attributes:
        folder: The folder of all sizes.
        rows: How many rows the largest table has.
        script: What draws the files; called with the number of rows and their places.
        files: Their names, with `{rows}` where the size goes.
    """

    folder: Path
    rows: int
    script: str
    files: tuple[str, ...]

    @property
    def places(self) -> tuple[Path, ...]:
        """Where the files lie."""
        return tuple(self.folder / name.format(rows=self.rows) for name in self.files)

    def drawn(self) -> "Sample":
        """The same sample, its files written unless they already were."""
        if not all(place.exists() for place in self.places):
            child(self.script, str(self.rows), *map(str, self.places))
        return self
