"""joblib's file format, written so that equal models give equal bytes.

A pickle notes which of its parts are one object, not only equal ones. For strings and dtypes that
depends on what the process did before, and the gaps between the fields of a tree's nodes hold
whatever the memory held. So two runs would write different files. Here the first of several equal
strings or dtypes stands for all of them, and gaps are zero. Named as `backend` of Kedro's pickle
dataset.
"""

from typing import Any, BinaryIO

import numpy as np
from joblib import load
from joblib.numpy_pickle import NumpyPickler

__all__ = ["dump", "load"]


def dump(value: Any, file: BinaryIO) -> None:
    """Writes a value for `joblib.load`.

    Args:
        value: Anything that can be pickled.
        file: Open for writing bytes.
    """
    _RepeatablePickler(file).dump(value)


class _RepeatablePickler(NumpyPickler):  # type: ignore[misc]  # joblib has no types
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._first: dict[tuple[type, Any], Any] = {}
        self._without_gaps: list[np.ndarray] = []  # kept: the pickler knows objects by address

    def save(self, obj: Any, *options: Any, **named: Any) -> Any:
        """Saves an equal object of which every run has the same bytes."""
        if isinstance(obj, str | np.dtype):
            obj = self._first.setdefault((type(obj), obj), obj)
        elif isinstance(obj, np.ndarray) and obj.dtype.names:
            # not zeros_like: that fills fields, and leaves what stands between them
            filled = np.zeros(obj.shape, obj.dtype)
            for name in obj.dtype.names:
                filled[name] = obj[name]
            self._without_gaps.append(filled)
            obj = filled
        return super().save(obj, *options, **named)
