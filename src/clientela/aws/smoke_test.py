"""Asks a new endpoint what its own package says the answer is, before anybody else asks it."""

import math
from typing import Final

from clientela.aws.clients import Clients
from clientela.aws.errors import explained
from clientela.aws.questions import Question
from clientela.exceptions import DeploymentFailed

TOLERANCE: Final = 1e-5
"""Between the answer of the endpoint and the one that is known."""

RUNTIME: Final = "sagemaker-runtime"


def require_right_answer(endpoint: str, question: Question, clients: Clients) -> float:
    """Ask an endpoint something whose answer is known.

    Args:
        endpoint: Its name.
        question: With its answer.
        clients: Of AWS.

    Returns:
        Its answer, within a hundred-thousandth of the expected one.

    Raises:
        DeploymentFailed: It does not answer, or answers something else.
    """
    doing = f"Testing the endpoint {endpoint} with the example of its package"
    with explained(doing, RUNTIME, DeploymentFailed):
        reply = clients(RUNTIME).invoke_endpoint(EndpointName=endpoint, **question.request)
        body = reply["Body"].read()
    found = question.read(body)
    if found is None:
        raise DeploymentFailed(
            f"{doing}: an answer with a score was expected, but there is none in its "
            f"{len(body)} bytes. Is the image of the same version as the package?"
        )
    if not math.isclose(found, question.expected, rel_tol=0, abs_tol=TOLERANCE):
        raise DeploymentFailed(
            f"{doing}: it should answer {question.expected:.6f} for the made-up example, and "
            f"answers {found:.6f}. The model in the container is not the one that was packaged."
        )
    return found
