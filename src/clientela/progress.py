"""Says how far a long step is: a bar where someone watches, log lines where nobody does."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 3.0

Item = TypeVar("Item")


def iter_with_progress(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """The items, one by one, while a bar (terminal) or log lines (else) tell how far it is."""
    if sys.stderr.isatty():
        from tqdm import tqdm  # noqa: PLC0415 - servers share modules with training, and have no bar

        yield from tqdm(items, total=total, desc=label)
        return
    began = last = monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and done < total:
            last = now
            left = (now - began) / done * (total - done)
            logger.info("%s: %d of %d, about %.0f s left", label, done, total, left)
