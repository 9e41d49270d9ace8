"""Answer over HTTP with the approved models of an environment: `clientela api`."""

import os
from collections.abc import Mapping

import click

from clientela.commands.environment import SERVED, Environment
from clientela.commands.main import with_environment
from clientela.serving.server import serve
from clientela.serving.settings import ServingSettings, settings_of, variable

SEGMENTS = "clientes_segmentados.sqlite"
"""Where segmentation loads segments unless a database is named, below the root of model output."""


@click.command()
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", default=None, type=int, help="Port to listen on.  [default: 8000]")
@click.option("--workers", default=None, type=int, help="Processes.  [default: 1]")
@with_environment
def api(
    environment: Environment, *, host: str | None, port: int | None, workers: int | None
) -> None:
    """Answer over HTTP with the approved models, those approved later too."""
    asked = {"host": host, "port": port, "workers": workers}
    given = {variable(name): str(value) for name, value in asked.items() if value is not None}
    serve(settings_for(environment, os.environ | given))


def settings_for(environment: Environment, variables: Mapping[str, str]) -> ServingSettings:
    """The settings of the API: what variables say, else where the environment keeps things.

    Args:
        environment: Whose models and segments.
        variables: Of the process; `CLIENTELA_API_…`.

    Returns:
        The settings.

    Raises:
        ConfigurationError: A variable is unknown, or its value can't be.
    """
    places = {"served": f"{environment.models}/{SERVED}"}
    if variable("model") in variables:
        places = {}
    database = environment.globals.get("database")
    if database:
        places["database"] = str(database)
    elif "://" not in str(environment.globals["model_output"]):
        output = environment.place(str(environment.globals["model_output"]))
        places["segments_file"] = f"{output}/{SEGMENTS}"
    return settings_of({variable(name): value for name, value in places.items()} | dict(variables))
