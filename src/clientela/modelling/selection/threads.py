"""Several fits at the same time, in threads: what is fitted computes outside the interpreter lock.

Each fit itself takes one thread, so that results never depend on the number of cores.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

Result = TypeVar("Result")


def in_threads(
    function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Results of the calls, in their order, each as soon as it and all before it are done.

    Args:
        function: What to call.
        calls: Its arguments, call by call.
        workers: Calls at the same time.

    Yields:
        One result per call.
    """
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        # set here, once: warning filters are shared, and threads that change them race
        warnings.filterwarnings("ignore", message="The least populated class")
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
            delayed(function)(*call) for call in calls
        )
