from clientela.pipelines.monitoring.alerts import Delivery, send_alert

KINDS = {"webhook": "ALERT_WEBHOOK", "sns": "ALERT_TOPIC"}


def sent(alert, **environment):
    return send_alert(alert, KINDS, environment, deadline_seconds=10)


def test_without_addresses_nobody_is_told(alert):
    assert sent(alert) == []
    assert sent(alert, ALERT_WEBHOOK="", OTHER="x") == []


def test_an_address_of_the_environment_is_told(alert, receiver):
    found = receiver(200)
    assert sent(alert, ALERT_WEBHOOK=found.url) == [
        Delivery(alert.id, "1 webhook", True, 1, "HTTP 200")
    ]
    assert found.requests[0][1] == alert.payload()


def test_an_address_that_is_none_is_a_failed_delivery_that_names_the_variable(
    alert, receiver, caplog
):
    found = receiver(200)
    address = "arn:clave"
    assert sent(alert, ALERT_TOPIC=address, ALERT_WEBHOOK=found.url) == [
        Delivery(alert.id, "sns", False, 0, "ALERT_TOPIC: no address"),
        Delivery(alert.id, "1 webhook", True, 1, "HTTP 200"),
    ]
    assert address not in caplog.text
