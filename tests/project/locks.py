"""What the tests need to see of a lock."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pinned(lock: Path) -> dict[str, Requirement]:
    """Each requirement of a lock, by its canonical name."""
    lines = re.findall(
        r"^[\w\[\], .-]+==\S+(?: ; [^\\\n]+)?", lock.read_text("utf-8"), re.MULTILINE
    )
    requirements = map(Requirement, lines)
    return {canonicalize_name(one.name): one for one in requirements}


def hashes(lock: Path) -> list[int]:
    """How many hashes each requirement has."""
    text = lock.read_text("utf-8")
    return [
        block.count("--hash=sha256:")
        for block in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    ]


def asked_by(requirement: Requirement) -> list[Requirement]:
    """What an installed distribution asks for here, with the extras that it is pinned with."""
    try:
        metadata = distribution(requirement.name).requires or []
    except PackageNotFoundError:
        return []
    extras = requirement.extras | {""}
    return [one for one in map(Requirement, metadata) if _applies(one, extras)]


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)
