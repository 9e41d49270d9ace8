"""Sends one alert to every channel, and comes back in time whatever they do."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from clientela.alerting.settings import AlertSettings, SnsSettings, WebhookSettings
from clientela.alerting.sns import published
from clientela.alerting.webhook import posted
from clientela.drift.alerts import Alert

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """What became of one alert on one channel.

    Attributes:
        alert: Its id.
        channel: The channel's place in the settings and its kind, e.g. `1 webhook`; no address.
        delivered: Whether the channel took it.
        attempts: How often it was tried; 0 where that is not known.
        detail: The answer or the error, without addresses.
    """

    alert: str
    channel: str
    delivered: bool
    attempts: int
    detail: str


def deliveries(alert: Alert, settings: AlertSettings) -> list[Delivery]:
    """What became of an alert on each channel; failures are results here, never exceptions.

    Each channel is tried in a thread of its own, which the run leaves behind at the deadline: a
    name server that does not answer, or a server that sends one byte a second, escapes timeouts.

    Args:
        alert: What to send.
        settings: Where to.

    Returns:
        One item per channel, in the order of the settings; each is logged too, as JSON.
    """
    done: SimpleQueue[tuple[int, Delivery]] = SimpleQueue()

    def run(place: int, channel: WebhookSettings | SnsSettings) -> None:
        done.put((place, _delivery(alert, place, channel)))

    for place, channel in enumerate(settings.channels):
        Thread(target=run, args=(place, channel), daemon=True).start()
    found = _until(monotonic() + settings.deadline_seconds, done, len(settings.channels))
    results = [
        found.get(place) or Delivery(alert.id, _name(place, channel), False, 0, "deadline")
        for place, channel in enumerate(settings.channels)
    ]
    log_deliveries(results)
    return results


def log_deliveries(results: Sequence[Delivery]) -> None:
    """One line of JSON per delivery, failures as warnings.

    Args:
        results: What became of an alert.
    """
    for result in results:
        level = logging.INFO if result.delivered else logging.WARNING
        logger.log(level, "alert %s", json.dumps(asdict(result), sort_keys=True))


def _until(
    deadline: float, done: "SimpleQueue[tuple[int, Delivery]]", expected: int
) -> dict[int, Delivery]:
    found: dict[int, Delivery] = {}
    while len(found) < expected:
        try:
            place, delivery = done.get(timeout=max(deadline - monotonic(), 0))
        except Empty:
            break
        found[place] = delivery
    return found


def _delivery(alert: Alert, place: int, channel: WebhookSettings | SnsSettings) -> Delivery:
    try:
        if isinstance(channel, WebhookSettings):
            delivered, attempts, detail = posted(alert, channel)
        else:
            delivered, attempts, detail = published(alert, channel)
    except Exception as err:  # noqa: BLE001 - an alert never fails the run that raises it
        # the words of an unexpected error may hold the address
        return Delivery(alert.id, _name(place, channel), False, 0, type(err).__name__)
    return Delivery(alert.id, _name(place, channel), delivered, attempts, detail)


def _name(place: int, channel: WebhookSettings | SnsSettings) -> str:
    return f"{place + 1} {channel.kind}"
