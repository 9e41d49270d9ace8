"""What the tests need to see of the Dockerfile."""

import re
from pathlib import Path
from typing import NamedTuple


class Stage(NamedTuple):
    name: str
    base: str
    steps: list[tuple[str, str]]  # instruction, its words

    def last(self, instruction: str) -> str | None:
        """The words of the instruction where it stands last."""
        found = [words for name, words in self.steps if name == instruction]
        return found[-1] if found else None


def stages(path: Path) -> dict[str, Stage]:
    """Each stage by its name, in order."""
    text = re.sub(r"^#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found: dict[str, Stage] = {}
    for line in filter(str.strip, lines):
        instruction, _, words = line.partition(" ")
        if instruction == "FROM":
            base, _, name = words.partition(" AS ")
            found[name] = Stage(name, base, [])
        elif found:
            next(reversed(found.values())).steps.append((instruction, words))
    return found
