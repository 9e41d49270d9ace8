"""boto3 clients with bounded patience; boto3 is imported when the first one is made."""

from functools import cached_property
from threading import Lock
from typing import Any

from clientela.aws.settings import AwsSettings
from clientela.exceptions import ConfigurationError

INSTALL = 'AWS needs boto3, which is not installed. Run: pip install "clientela[aws]"'


class Clients:
    """Clients of AWS services, one per service; safe to share between threads.

    Credentials, region and endpoint come from the standard AWS chain (`AWS_PROFILE`, `AWS_REGION`,
    `AWS_ENDPOINT_URL` and its forms per service); a region in the settings wins.

    Args:
        settings: Region and patience.
    """

    def __init__(self, settings: AwsSettings) -> None:
        self._settings = settings
        self._made: dict[str, Any] = {}
        self._lock = Lock()

    def __call__(self, service: str) -> Any:
        """The client of one service.

        Args:
            service: As boto3 calls it, e.g. `sagemaker-runtime`.

        Returns:
            A boto3 client.

        Raises:
            ConfigurationError: boto3 is not installed, or no region is set.
        """
        with self._lock:
            if service not in self._made:
                self._made[service] = self._client(service)
            return self._made[service]

    def close(self) -> None:
        """Closes the connections of every client that was made."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    @property
    def region(self) -> str:
        """Where everything happens.

        Raises:
            ConfigurationError: Neither the settings nor the AWS chain say it.
        """
        region = self._settings.region or self._session.region_name
        if region is None:
            raise ConfigurationError(
                "No AWS region is set. Set the variable AWS_DEFAULT_REGION, or region in "
                "conf/aws/aws.yml."
            )
        return str(region)

    @property
    def has_credentials(self) -> bool:
        """Whether the AWS chain holds any; whether AWS accepts them is another question."""
        return self._session.get_credentials() is not None

    @cached_property
    def _session(self) -> Any:
        try:
            import boto3  # noqa: PLC0415 - heavy, and rarely used
        except ImportError as err:
            raise ConfigurationError(INSTALL) from err
        return boto3.session.Session()

    def _client(self, service: str) -> Any:
        session, region = self._session, self.region
        from botocore.config import Config  # noqa: PLC0415

        patience = self._settings.connection
        config = Config(
            connect_timeout=patience.connect_seconds,
            read_timeout=patience.read_seconds,
            max_pool_connections=patience.pool,
            # standard: exponential pauses with jitter, and a budget of retries per client
            retries={"total_max_attempts": patience.attempts, "mode": "standard"},
            user_agent_extra="clientela",
        )
        return session.client(service, region_name=region, config=config)
