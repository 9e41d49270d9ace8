"""Whether the server in this container answers with a model; what the image's health check runs.

    python healthy.py

The exit code is 0 where it does, 1 where it does not. The image has no curl, and this file needs
nothing but Python.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

MOST_SECONDS = 3


def ports(environment: dict[str, str]) -> list[int]:
    """Where the server may listen: as the API, or as SageMaker starts it.

    Args:
        environment: Variable to value.

    Returns:
        Two ports.
    """
    return [
        int(environment.get("CLIENTELA_API_PORT") or 8000),
        int(environment.get("SAGEMAKER_BIND_TO_PORT") or 8080),
    ]


def answers(port: int) -> bool:
    """Whether a server on this machine answers that it is ready.

    Args:
        port: Where it listens.

    Returns:
        False also where nobody listens.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=MOST_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200  # noqa: PLR2004 - HTTP's OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if any(map(answers, ports(dict(os.environ)))) else 1)
