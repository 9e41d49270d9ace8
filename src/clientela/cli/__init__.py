"""The command line: `kedro run` with readable errors, and the `clientela` command."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Load Kedro's commands only when Kedro asks for them: they import slowly."""
    if name in {"cli", "run"}:
        from clientela.cli import kedro_run  # noqa: PLC0415 - see above

        return getattr(kedro_run, name)
    raise AttributeError(name)
