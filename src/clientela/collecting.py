"""How often Python looks for objects that only refer to one another.

Expressions and figures are made of very many small objects, nearly all of which live on. Python
looks at all of them again after every few hundred new ones: a seventh of a run.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 50_000
"""So many more are made than freed before Python looks; its own figure is some hundred."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Inside, unreachable cycles are looked for a hundred times less often."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
