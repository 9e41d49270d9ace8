import json
import logging

import pytest

from clientela.pipelines.monitoring import alerts
from clientela.pipelines.monitoring.alerts import AlertSettings, Delivery, send_to_channels


def channel(url, **patience):
    defaults = {"attempts": 1, "pause_seconds": 0, "timeout_seconds": 5}
    return {"kind": "webhook", "url": url, "patience": defaults | patience}


def test_each_channel_has_its_own_outcome_in_the_order_of_the_settings(alert, receiver):
    good, bad = receiver(200), receiver(500)
    settings = AlertSettings(channels=[channel(bad.url), channel(good.url)])
    assert send_to_channels(alert, settings) == [
        Delivery(alert.id, "1 webhook", False, 1, "HTTP 500"),
        Delivery(alert.id, "2 webhook", True, 1, "HTTP 200"),
    ]


def test_a_channel_that_hangs_is_left_behind_at_the_deadline(alert, receiver):
    good, silent = receiver(200), receiver("silent")
    settings = AlertSettings(
        channels=[channel(silent.url, timeout_seconds=60), channel(good.url)], deadline_seconds=0.5
    )
    assert send_to_channels(alert, settings) == [
        Delivery(alert.id, "1 webhook", False, 0, "deadline"),
        Delivery(alert.id, "2 webhook", True, 1, "HTTP 200"),
    ]


def test_an_unexpected_error_is_an_outcome_without_its_words(alert, receiver, monkeypatch):
    def fails(*_):
        raise RuntimeError("https://hooks.example.org/clave")

    monkeypatch.setattr(alerts, "send_to_webhook", fails)
    settings = AlertSettings(channels=[channel(receiver(200).url)])
    assert send_to_channels(alert, settings) == [
        Delivery(alert.id, "1 webhook", False, 0, "RuntimeError")
    ]


def test_outcomes_are_logged_as_json_without_addresses(alert, receiver, caplog):
    good, bad = receiver(200), receiver(404)
    with caplog.at_level(logging.INFO, alerts.__name__):
        send_to_channels(alert, AlertSettings(channels=[channel(good.url), channel(bad.url)]))
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert json.loads(caplog.messages[1].removeprefix("alert ")) == {
        "alert": alert.id,
        "attempts": 1,
        "channel": "2 webhook",
        "delivered": False,
        "detail": "HTTP 404",
    }
    assert "secreto" not in caplog.text


def test_without_channels_nothing_is_sent(alert):
    assert send_to_channels(alert, AlertSettings()) == []


def test_an_unknown_kind_of_channel_is_refused():
    with pytest.raises(ValueError, match="expected tags: 'webhook', 'sns'"):
        AlertSettings(channels=[{"kind": "fax"}])
