"""The API in a container: `python -m clientela.serving`, or with `serve` as SageMaker starts it.

SageMaker mounts one unpacked package at `/opt/ml/model`, asks on port 8080, and lets nobody else
reach it.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from clientela.exceptions import ClientelaError
from clientela.serving.app import serve
from clientela.serving.settings import ServingSettings, get_variable_name, load_serving_settings

SERVE: Final = "serve"
MODEL: Final = "/opt/ml/model"
PORT_VARIABLE: Final = "SAGEMAKER_BIND_TO_PORT"
PORT: Final = "8080"


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve."""
    try:
        serve(load_container_settings(arguments, environment))
    except ClientelaError as err:
        print(f"Error: {err}", file=sys.stderr)  # noqa: T201 - for who started the container
        return 1
    return 0


def load_container_settings(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> ServingSettings:
    """The settings of a container."""
    if list(arguments) != [SERVE]:
        return load_serving_settings(environment)
    given = {
        name: value for name, value in environment.items() if name != get_variable_name("served")
    }
    fixed = {
        "host": "0.0.0.0",  # noqa: S104 - SageMaker alone reaches it
        "port": environment.get(PORT_VARIABLE, PORT),
        "model": environment.get(get_variable_name("model"), MODEL),
        "trusted": "true",
    }
    return load_serving_settings(
        given | {get_variable_name(name): value for name, value in fixed.items()}
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
