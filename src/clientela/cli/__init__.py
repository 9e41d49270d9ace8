"""The command line: `kedro run` with readable errors, and the `clientela` command."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Load Kedro's commands only when Kedro asks for `clientela.cli.cli`: they import slowly."""
    if name == "cli":
        from clientela.cli.kedro_run import cli  # noqa: PLC0415 - see above

        return cli
    raise AttributeError(name)
