"""What people are told when a model's data have moved critically, and the channels that tell them.

Addresses let anybody write who knows them, so they come from the environment and stand in no file.
"""

import hashlib
import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Thread
from time import monotonic
from typing import Annotated, Any, Literal, TypeAlias

import pandas as pd
from pydantic import (
    Field,
    HttpUrl,
    NonNegativeFloat,
    PositiveFloat,
    Secret,
    ValidationError,
)

from clientela.exceptions import ConfigurationError
from clientela.reporting.model_health import (
    REASONS,
    RECOMMENDATIONS,
    ModelState,
    Recommendation,
    State,
    Wording,
)
from clientela.reporting.monitoring_log import PeriodRun, round_metric
from clientela.settings_base import FrozenSettings

ID_LENGTH = 16
RED = ["feature", "psi", "reason", "sentence_es"]


class RedColumn(FrozenSettings):
    """A column that drifted critically.

    Attributes:
        psi: How far; None where it was not measured.
        sentence: The cause in Spanish; rates only, never a value of the data.
    """

    feature: str
    psi: float | None
    reason: str
    sentence: str


class Alert(FrozenSettings):
    """What is sent about one period of one model; it holds no rows and no values of the data.

    Attributes:
        id: The same for a rerun of the same period, so that a receiver can drop repetitions.
        text: The required sentence, or what else is critical.
    """

    version: Literal[1] = 1
    id: str
    use_case: str
    period: str
    baseline: str
    n: int
    mode: str
    text: str
    text_en: str
    columns: tuple[RedColumn, ...]
    state: State
    recommendation: Recommendation
    advice: str
    reasons: tuple[str, ...]

    def payload(self) -> bytes:
        """The alert as JSON in UTF-8; the same alert gives the same bytes."""
        content = self.model_dump(mode="json")
        return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


def build_alert(
    use_case: str, run: PeriodRun, judged: pd.DataFrame, state: ModelState
) -> Alert | None:
    """What to tell about one period of one model, if anything is critical.

    Returns:
        An alert when a column is ROJO or the period critical, else None.
    """
    red = judged[judged["severity"] == "ROJO"]
    if red.empty and state.level != "critical":
        return None
    features = [str(name) for name in red["feature"]]
    if features:
        sentence = format_alert_sentence(features, state.recommendation)
    else:
        words = [REASONS[reason] for reason in state.reasons]
        sentence = Wording(
            " ".join(["ALERTA:", *(each.es for each in words)]),
            " ".join(["ALERT:", *(each.en for each in words)]),
        )
    key = f"{use_case}/{run.baseline}/{run.period}"
    return Alert(
        id=hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH],
        use_case=use_case,
        period=run.period,
        baseline=run.baseline,
        n=run.n,
        mode=run.mode,
        text=sentence.es,
        text_en=sentence.en,
        columns=tuple(
            RedColumn(feature=feature, psi=round_metric(psi), reason=reason, sentence=words)
            for feature, psi, reason, words in red[RED].itertuples(index=False, name=None)
        ),
        state=state.state,
        recommendation=state.recommendation,
        advice=RECOMMENDATIONS[state.recommendation].es,
        reasons=state.reasons,
    )


def format_alert_sentence(features: Sequence[str], recommendation: Recommendation) -> Wording:
    """The required sentence, with the advice that is given everywhere else too.

    Args:
        features: The columns that drifted critically, worst first; at least one.
    """
    names = ", ".join(features)
    es, en = RECOMMENDATIONS[recommendation]
    if recommendation == "retrain":
        es = "revisar calidad de datos, umbrales y considerar reentrenamiento."
        en = "review data quality and thresholds, and consider retraining."
    return Wording(
        f"ALERTA: Drift crítico detectado en {names}. Recomendación: {es[0].lower()}{es[1:]}",
        f"ALERT: Critical drift detected in {names}. Recommendation: {en[0].lower()}{en[1:]}",
    )


class DeliveryRetrySettings(FrozenSettings):
    """How long one channel is tried.

    Attributes:
        timeout_seconds: To connect, and to wait for an answer; each time.
        attempts: At most so many; only what may pass is tried again.
        pause_seconds: Before the second attempt; doubled before each further one.
    """

    timeout_seconds: PositiveFloat = 5.0
    attempts: int = Field(default=3, ge=1, le=10)
    pause_seconds: NonNegativeFloat = 1.0


class WebhookSettings(FrozenSettings):
    """An address that takes an alert as JSON by POST.

    Attributes:
        url: The address; a secret, since those of chat services let anybody write who knows them.
    """

    kind: Literal["webhook"] = "webhook"
    url: Secret[HttpUrl]
    patience: DeliveryRetrySettings = DeliveryRetrySettings()


class SnsSettings(FrozenSettings):
    """A topic of Amazon SNS; credentials, region and endpoint come from the standard AWS chain."""

    kind: Literal["sns"] = "sns"
    topic_arn: str = Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$")
    patience: DeliveryRetrySettings = DeliveryRetrySettings()


ChannelSettings: TypeAlias = Annotated[WebhookSettings | SnsSettings, Field(discriminator="kind")]


class AlertSettings(FrozenSettings):
    """Who is told.

    Attributes:
        deadline_seconds: A run waits no longer than this for all of them together.
    """

    channels: tuple[ChannelSettings, ...] = ()
    deadline_seconds: PositiveFloat = 30.0


# Answers after which the same request may succeed (RFC 9110, RFC 6585).
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET, and look like success."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = urllib.request.build_opener(_NoRedirect)


def send_to_webhook(alert: Alert, settings: WebhookSettings) -> tuple[bool, int, str]:
    """Whether a webhook took an alert, after how many attempts, and its last answer.

    Returns:
        Success, attempts, and the answer or error; never the address.
    """
    patience = settings.patience
    for attempt in range(1, patience.attempts + 1):
        status, answer = _send_request(alert, settings)
        if status is not None and status not in PASSING:
            return status < http.client.MULTIPLE_CHOICES, attempt, answer
        if attempt < patience.attempts:
            time.sleep(patience.pause_seconds * 2 ** (attempt - 1))
    return False, patience.attempts, answer


def _send_request(alert: Alert, settings: WebhookSettings) -> tuple[int | None, str]:
    """Status and words of one attempt; no status where there was no answer."""
    request = urllib.request.Request(  # noqa: S310 - the settings take http and https only
        str(settings.url.get_secret_value()),
        data=alert.payload(),
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": alert.id,
            "User-Agent": "clientela",
        },
        method="POST",
    )
    try:
        with OPENER.open(request, timeout=settings.patience.timeout_seconds) as response:
            return response.status, f"HTTP {response.status}"
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, f"HTTP {answer.code}"
    except urllib.error.URLError as err:
        return None, type(err.reason).__name__
    except (OSError, http.client.HTTPException) as err:
        return None, type(err).__name__


# Characters that SNS takes.
LONGEST_SUBJECT = 100


def publish_to_sns(alert: Alert, settings: SnsSettings) -> tuple[bool, int, str]:
    """Whether a topic took an alert, after how many attempts, and its answer.

    Returns:
        Success, attempts, and the message id or the error code.
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
        answer = client.publish(**_build_sns_message(alert, settings.topic_arn))
    except ClientError as err:
        error = err.response
        tries = 1 + error["ResponseMetadata"].get("RetryAttempts", 0)
        return False, tries, str(error["Error"]["Code"])
    except BotoCoreError as err:
        return False, patience.attempts, type(err).__name__
    tries = 1 + answer["ResponseMetadata"].get("RetryAttempts", 0)
    return True, tries, f"message {answer['MessageId']}"


def _build_sns_message(alert: Alert, topic: str) -> dict[str, str]:
    message = {
        "TopicArn": topic,
        "Subject": f"Drift: {alert.use_case} {alert.period}"[:LONGEST_SUBJECT],
        "Message": alert.payload().decode(),
    }
    if topic.endswith(".fifo"):
        # such a topic wants a group, and drops repetitions by the id
        message |= {"MessageGroupId": alert.use_case, "MessageDeduplicationId": alert.id}
    return message


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """What became of one alert on one channel.

    Attributes:
        channel: The channel's place in the settings and its kind, e.g. `1 webhook`; no address.
        attempts: How often it was tried; 0 where that is not known.
        detail: The answer or the error, without addresses.
    """

    alert: str
    channel: str
    delivered: bool
    attempts: int
    detail: str


def send_to_channels(alert: Alert, settings: AlertSettings) -> list[Delivery]:
    """What became of an alert on each channel; failures are results here, never exceptions.

    Each channel is tried in a thread of its own, which the run leaves behind at the deadline: a
    name server that does not answer, or a server that sends one byte a second, escapes timeouts.

    Returns:
        One item per channel, in the order of the settings; each is logged too, as JSON.
    """
    channels = settings.channels
    results = [
        Delivery(alert.id, f"{place} {channel.kind}", False, 0, "deadline")
        for place, channel in enumerate(channels, start=1)
    ]

    def deliver(place: int, channel: WebhookSettings | SnsSettings) -> None:
        try:
            if isinstance(channel, WebhookSettings):
                found = send_to_webhook(alert, channel)
            else:
                found = publish_to_sns(alert, channel)
        except Exception as err:  # noqa: BLE001 - an alert never fails the run that raises it
            # the words of an unexpected error may hold the address
            found = False, 0, type(err).__name__
        results[place] = Delivery(alert.id, results[place].channel, *found)

    threads = [Thread(target=deliver, args=each, daemon=True) for each in enumerate(channels)]
    for thread in threads:
        thread.start()
    deadline = monotonic() + settings.deadline_seconds
    for thread in threads:
        thread.join(max(deadline - monotonic(), 0))
    # what comes after the deadline is told no more
    until_now = list(results)
    log_deliveries(until_now)
    return until_now


def log_deliveries(results: Sequence[Delivery]) -> None:
    """One line of JSON per delivery, failures as warnings."""
    for result in results:
        level = logging.INFO if result.delivered else logging.WARNING
        logger.log(level, "alert %s", json.dumps(asdict(result), sort_keys=True))


def send_alert(
    alert: Alert,
    kinds: Mapping[str, str],
    environment: Mapping[str, str],
    deadline_seconds: float,
) -> list[Delivery]:
    """What became of an alert on each channel that has an address.

    Args:
        kinds: `webhook` and `sns` to the variable that holds its address.

    Returns:
        One item per channel; an address that is none is a failed delivery, not an error.
    """
    fields = {"webhook": "url", "sns": "topic_arn"}
    given = {kind: environment.get(variable, "") for kind, variable in kinds.items()}
    channels = [{"kind": kind, fields[kind]: address} for kind, address in given.items() if address]
    try:
        settings = AlertSettings.model_validate(
            {"channels": channels, "deadline_seconds": deadline_seconds}
        )
    except ValidationError as err:
        wrong = sorted({int(str(each["loc"][1])) for each in err.errors()})
        names = [str(channels[place]["kind"]) for place in wrong]
        failed = [
            Delivery(alert.id, name, False, 0, f"{kinds[name]}: no address") for name in names
        ]
        log_deliveries(failed)
        others = {kind: variable for kind, variable in kinds.items() if kind not in names}
        return failed + send_alert(alert, others, environment, deadline_seconds)
    return send_to_channels(alert, settings)
