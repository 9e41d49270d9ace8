"""Sessions of Kedro in the process of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project


@contextmanager
def session_of(project_root: Path, **options: Any) -> Iterator[KedroSession]:
    """A session, options as `KedroSession.create`; it reads the configuration once.

    Kedro makes a new context, and reads every file anew, each time that it is asked for one.
    """
    bootstrap_project(project_root)
    with KedroSession.create(project_root, save_on_close=False, **options) as session:
        context = session.load_context()
        session.load_context = lambda: context  # type: ignore[method-assign]
        yield session
