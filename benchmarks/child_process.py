"""Runs a script of this folder in a process of its own.

Whatever takes memory does so in a child: a process starts with its parent's peak, so the parent of
the measured ones must stay small.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


class ChildFailed(Exception):
    """A script ended with an error; it said why on standard error."""


def child(script: str, *arguments: str, interpreter: Path | None = None) -> str:
    """Runs a script to its end.

    Args:
        script: Its file name in this folder.
        arguments: What it is given.
        interpreter: The Python that runs it; None: this one.

    Returns:
        What it printed.

    Raises:
        ChildFailed: It ended with an error.
    """
    command = [str(interpreter or sys.executable), str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ChildFailed(f"{script} {' '.join(arguments)} failed, see above.")
    return done.stdout
