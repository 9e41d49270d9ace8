"""Asks a new endpoint what its own package says the answer is, before anybody else asks it."""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from clientela.aws.clients import Clients
from clientela.aws.errors import explained
from clientela.exceptions import DeploymentFailed
from clientela.inference.manifest import ServedManifest

TOLERANCE: Final = 1e-5
"""Between the answer of the endpoint and the one that was computed when the model was packaged."""

RUNTIME: Final = "sagemaker-runtime"


def example_request(manifest: ServedManifest, *, prebuilt: bool) -> dict[str, Any]:
    """The example of a package as a request to its container.

    Args:
        manifest: Of the package.
        prebuilt: Whether the prebuilt XGBoost container answers, which takes the features of the
            native model alone, as CSV without a header.

    Returns:
        Arguments of `invoke_endpoint`, without the endpoint.
    """
    case = manifest.example.case
    if not prebuilt:
        body = json.dumps({"data": [case]}, ensure_ascii=False)
        return {"ContentType": "application/json", "Accept": "application/json", "Body": body}
    values = (case.get(name) for name in manifest.model["features"])
    line = ",".join("" if value is None else repr(value) for value in values)
    return {"ContentType": "text/csv", "Accept": "text/csv", "Body": line}


def require_right_answer(
    endpoint: str, manifest: ServedManifest, clients: Clients, *, prebuilt: bool
) -> float:
    """Ask an endpoint about the example of its package.

    Args:
        endpoint: Its name.
        manifest: Of the package.
        clients: Of AWS.
        prebuilt: Whether the prebuilt XGBoost container answers.

    Returns:
        Its answer, within a hundred-thousandth of the expected one.

    Raises:
        DeploymentFailed: It does not answer, or answers something else.
    """
    request = example_request(manifest, prebuilt=prebuilt)
    doing = f"Testing the endpoint {endpoint} with the example of its package"
    with explained(doing, RUNTIME, DeploymentFailed):
        reply = clients(RUNTIME).invoke_endpoint(EndpointName=endpoint, **request)
        body = reply["Body"].read()
    found = _answered(body, manifest.score_name, prebuilt=prebuilt)
    expected = manifest.example.expected
    if found is None:
        raise DeploymentFailed(
            f"{doing}: a number under {manifest.score_name!r} was expected, but the answer of "
            f"{len(body)} bytes holds none. Is the image of the same version as the package?"
        )
    if not math.isclose(found, expected, rel_tol=0, abs_tol=TOLERANCE):
        raise DeploymentFailed(
            f"{doing}: it should answer {expected:.6f} for the made-up example, and answers "
            f"{found:.6f}. The model in the container is not the one that was packaged."
        )
    return found


def _answered(body: bytes, score_name: str, *, prebuilt: bool) -> float | None:
    text = body.decode("utf-8", "replace").strip()
    try:
        if prebuilt:
            # the container ends each answer with a comma or a line end
            return float(text.split("\n")[0].split(",")[0])
        return next(_numbers_named(score_name, json.loads(text)), None)
    except ValueError:
        return None


def _numbers_named(name: str, content: Any) -> Iterator[float]:
    """Every number of that name in a JSON text, the first case's first."""
    if isinstance(content, dict):
        found = content.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool):
            yield float(found)
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _numbers_named(name, each)
