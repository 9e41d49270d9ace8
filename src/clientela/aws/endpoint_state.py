"""How an endpoint stands, and waiting until it stands still."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Final

from clientela.aws.clients import Clients
from clientela.aws.errors import explained, is_absent
from clientela.aws.names import TESTED
from clientela.aws.settings import EndpointSettings
from clientela.exceptions import DeploymentFailed

logger = logging.getLogger(__name__)

SERVICE: Final = "sagemaker"
MOVING: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SERVING: Final = "InService"


@dataclass(frozen=True)
class EndpointState:
    """An endpoint as AWS describes it.

    Attributes:
        name: Of the endpoint.
        arn: Its address.
        config: Name of the configuration that it runs, or is changing to.
        status: `InService`, `Failed`, …
        reason: Why it failed; empty where it did not.
        tags: In the form of most services.
    """

    name: str
    arn: str
    config: str
    status: str
    reason: str
    tags: tuple[tuple[str, str], ...]

    @property
    def is_moving(self) -> bool:
        """Whether AWS is still at it, and refuses changes."""
        return self.status in MOVING

    @property
    def is_serving(self) -> bool:
        """Whether it answers."""
        return self.status == SERVING

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """Its tags as AWS lists them."""
        return [{"Key": key, "Value": value} for key, value in self.tags]

    @property
    def tested(self) -> str | None:
        """The last configuration that passed its test; None where none ever did."""
        return dict(self.tags).get(TESTED)


def endpoint_state(name: str, clients: Clients) -> EndpointState | None:
    """How an endpoint stands now.

    Args:
        name: Of the endpoint.
        clients: Of AWS.

    Returns:
        Its state; None where there is no such endpoint.

    Raises:
        DeploymentFailed: AWS can't be reached, or refuses.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    client = clients(SERVICE)
    with explained(f"Looking at the endpoint {name}", SERVICE, DeploymentFailed):
        try:
            found = client.describe_endpoint(EndpointName=name)
            noted = client.list_tags(ResourceArn=found["EndpointArn"])["Tags"]
        except ClientError as err:
            if is_absent(err):
                return None
            raise
    return _state(found, noted)


def settled(name: str, clients: Clients, settings: EndpointSettings) -> EndpointState | None:
    """An endpoint once AWS no longer changes it; how long it takes is logged.

    Args:
        name: Of the endpoint.
        clients: Of AWS.
        settings: How long to wait.

    Returns:
        Its state; None where there is none, or no longer one.

    Raises:
        DeploymentFailed: It still changes after the longest wait.
    """
    for state in _looks(lambda: endpoint_state(name, clients), settings):
        if state is None or not state.is_moving:
            return state
        logger.info("endpoint %s: %s", name, state.status)
    raise DeploymentFailed(
        f"The endpoint {name} is still changing after {settings.wait_minutes:g} minutes. Nothing "
        "is lost: run the same command again, which goes on waiting, or raise "
        "endpoints.wait_minutes in aws.yml. The container's own words are in CloudWatch, log group "
        f"/aws/sagemaker/Endpoints/{name}."
    )


def _looks(
    look: Callable[[], EndpointState | None], settings: EndpointSettings
) -> Iterator[EndpointState | None]:
    deadline = monotonic() + 60 * settings.wait_minutes
    while True:
        yield look()
        if monotonic() >= deadline:
            return
        sleep(settings.poll_seconds)


def _state(found: dict[str, Any], noted: list[dict[str, str]]) -> EndpointState:
    return EndpointState(
        name=found["EndpointName"],
        arn=found["EndpointArn"],
        config=found["EndpointConfigName"],
        status=found["EndpointStatus"],
        reason=str(found.get("FailureReason", "")),
        # the last one of a key counts, as where a tag is overwritten
        tags=tuple({each["Key"]: each["Value"] for each in noted}.items()),
    )
