"""An alert to a topic of Amazon SNS, from which people get e-mail, SMS, or a queue."""

from clientela.alerting.settings import SnsSettings
from clientela.drift.alerts import Alert
from clientela.exceptions import ConfigurationError

LONGEST_SUBJECT = 100
"""Characters that SNS takes."""


def published(alert: Alert, settings: SnsSettings) -> tuple[bool, int, str]:
    """Whether a topic took an alert, after how many attempts, and its answer.

    Args:
        alert: What to send.
        settings: Which topic, and how long to try.

    Returns:
        Success, attempts, and the message id or the error code.

    Raises:
        ConfigurationError: boto3 is not installed.
    """
    try:
        import boto3  # noqa: PLC0415 - heavy, and rarely used
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
        )
    except ImportError as err:
        raise ConfigurationError(
            "Alerts to SNS need boto3, which is not installed. Run: pip install boto3"
        ) from err
    patience = settings.patience
    limits = Config(
        connect_timeout=patience.timeout_seconds,
        read_timeout=patience.timeout_seconds,
        # without the first attempt, as botocore counts
        retries={"total_max_attempts": patience.attempts, "mode": "standard"},
    )
    region = settings.topic_arn.split(":")[3]
    try:
        client = boto3.client("sns", region_name=region, config=limits)
        answer = client.publish(**_message(alert, settings.topic_arn))
    except ClientError as err:
        error = err.response
        tries = 1 + error["ResponseMetadata"].get("RetryAttempts", 0)
        return False, tries, str(error["Error"]["Code"])
    except BotoCoreError as err:
        return False, patience.attempts, type(err).__name__
    tries = 1 + answer["ResponseMetadata"].get("RetryAttempts", 0)
    return True, tries, f"message {answer['MessageId']}"


def _message(alert: Alert, topic: str) -> dict[str, str]:
    message = {
        "TopicArn": topic,
        "Subject": f"Drift: {alert.use_case} {alert.period}"[:LONGEST_SUBJECT],
        "Message": alert.payload().decode(),
    }
    if topic.endswith(".fifo"):
        # such a topic wants a group, and drops repetitions by the id
        message |= {"MessageGroupId": alert.use_case, "MessageDeduplicationId": alert.id}
    return message
