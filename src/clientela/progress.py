"""Shows how far a long step is: a bar where someone watches, log lines where nobody does."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """The items, one by one, while a bar (terminal) or a log line per tenth (else) tells how far.

    Args:
        items: What the step works through.
        total: How many there are.
        label: What they are, for the reader.

    Yields:
        The items, unchanged.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=label)
        return
    began = monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        if done * 10 // total > (done - 1) * 10 // total and total > 1:
            left = (monotonic() - began) * (total - done) / done
            logger.info("%s: %d of %d, about %.0f s left", label, done, total, left)
