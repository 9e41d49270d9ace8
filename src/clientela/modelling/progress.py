"""Says how far a long step is, and when it will end; the only place of training with a clock."""

import logging
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 3.0

Item = TypeVar("Item")


def reported(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """The items, with a log line every few seconds: how many are done, and the time left.

    Args:
        items: What is being worked through.
        total: How many there are.
        what: Name of the step, for the log.

    Yields:
        Each item.
    """
    start = last = monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and done < total:
            last = now
            left = (now - start) / done * (total - done)
            logger.info("%s: %d of %d, about %.0f s left", what, done, total, left)
