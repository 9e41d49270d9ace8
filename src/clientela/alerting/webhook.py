"""An alert as JSON, by POST to an address of one's own: chat, e-mail gateway, pager."""

import http.client
import time
import urllib.error
import urllib.request
from typing import Any

from clientela.alerting.settings import WebhookSettings
from clientela.drift.alerts import Alert

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed (RFC 9110, RFC 6585)."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET, and look like success."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = urllib.request.build_opener(_NoRedirect)


def posted(alert: Alert, settings: WebhookSettings) -> tuple[bool, int, str]:
    """Whether a webhook took an alert, after how many attempts, and its last answer.

    Args:
        alert: What to send; its id is the `Idempotency-Key`.
        settings: Where to, and how long to try.

    Returns:
        Success, attempts, and the answer or error; never the address.
    """
    patience = settings.patience
    for attempt in range(1, patience.attempts + 1):
        status, answer = _answer(alert, settings)
        if status is not None and status not in PASSING:
            return status < http.client.MULTIPLE_CHOICES, attempt, answer
        if attempt < patience.attempts:
            time.sleep(patience.pause_seconds * 2 ** (attempt - 1))
    return False, patience.attempts, answer


def _answer(alert: Alert, settings: WebhookSettings) -> tuple[int | None, str]:
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
