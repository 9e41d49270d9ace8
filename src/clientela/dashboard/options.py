"""Which environment is shown: what stands after `--` on the command line, else KEDRO_ENV."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kedro.utils import find_kedro_project

from clientela.exceptions import ConfigurationError


class Options(NamedTuple):
    """Where the dashboard looks.

    Attributes:
        project: Root folder of the Kedro project.
        env: Kedro environment; None for the default one.
        conf_source: Folder of the configuration; None for the project's own.
    """

    project: Path
    env: str | None
    conf_source: str | None

    @property
    def run_flags(self) -> str:
        """What `kedro run` needs to write where the dashboard looks; begins with a space."""
        env = f" --env={self.env}" if self.env else ""
        return env + (f" --conf-source={self.conf_source}" if self.conf_source else "")


def options(arguments: Sequence[str]) -> Options:
    """Where to look.

    Args:
        arguments: What followed `--` when Streamlit was started.

    Returns:
        The project around the working directory, seen through an environment.

    Raises:
        ConfigurationError: The working directory lies in no Kedro project.
    """
    parser = argparse.ArgumentParser(prog="dashboard")
    parser.add_argument("--env", "-e", default=os.getenv("KEDRO_ENV"))
    parser.add_argument("--conf-source", default=None)
    given = parser.parse_args(arguments)
    project = find_kedro_project(Path.cwd())
    if project is None:
        raise ConfigurationError(
            f"The dashboard should be started inside a Kedro project; {Path.cwd()} is none. "
            "Change into the folder of pyproject.toml and run make dashboard."
        )
    return Options(project, given.env or None, given.conf_source)
