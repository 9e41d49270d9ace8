import socket

import pytest

from clientela.pipelines.monitoring.alerts import WebhookSettings, send_to_webhook


def settings(url, attempts=3, timeout=5.0):
    patience = {"attempts": attempts, "pause_seconds": 0, "timeout_seconds": timeout}
    return WebhookSettings(url=url, patience=patience)


def test_a_webhook_gets_the_alert_as_json_once(alert, receiver):
    webhook = receiver(200)
    assert send_to_webhook(alert, settings(webhook.url)) == (True, 1, "HTTP 200")
    [(headers, body)] = webhook.requests
    assert body == alert.payload()
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Idempotency-Key"] == alert.id


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_may_pass_is_tried_again(alert, receiver, status):
    webhook = receiver(status, status, 204)
    assert send_to_webhook(alert, settings(webhook.url)) == (True, 3, "HTTP 204")
    assert {body for _, body in webhook.requests} == {alert.payload()}


def test_after_the_last_attempt_it_is_given_up(alert, receiver):
    webhook = receiver(500)
    assert send_to_webhook(alert, settings(webhook.url)) == (False, 3, "HTTP 500")
    assert len(webhook.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_what_will_not_pass_is_tried_once(alert, receiver, status):
    webhook = receiver(status)
    assert send_to_webhook(alert, settings(webhook.url)) == (False, 1, f"HTTP {status}")
    assert len(webhook.requests) == 1


def test_a_slow_answer_is_not_waited_for(alert, receiver):
    webhook = receiver("silent")
    assert send_to_webhook(alert, settings(webhook.url, attempts=2, timeout=0.1)) == (
        False,
        2,
        "TimeoutError",
    )


def test_a_refused_connection_is_told(alert):
    with socket.socket() as taken:  # bound, so that nobody else gets the port, but not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert send_to_webhook(alert, settings(url)) == (False, 3, "ConnectionRefusedError")


def test_the_address_is_a_secret_and_must_be_one_of_http():
    hidden = repr(settings("https://hooks.example.org/T0/clave"))
    assert "clave" not in hidden
    with pytest.raises(ValueError, match="URL scheme should be 'http' or 'https'"):
        settings("file:///etc/passwd")
