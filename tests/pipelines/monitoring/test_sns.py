import json

import boto3
import pytest

from clientela.pipelines.monitoring.alerts import SnsSettings, publish_to_sns


@pytest.fixture
def aws(object_store, monkeypatch):
    """The variables that lead to an AWS on loopback."""
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)


def settings(topic, **patience):
    return SnsSettings(topic_arn=topic, patience={"attempts": 1} | patience)


def subscribed_queue(name, **attributes):
    """A topic in São Paulo with a queue that gets what is published; both their addresses."""
    sns, sqs = (boto3.client(service, region_name="sa-east-1") for service in ("sns", "sqs"))
    topic = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    wanted = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, lambda: [
        json.loads(message["Body"])
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


def test_a_topic_gets_the_alert_with_a_subject(aws, alert):
    topic, received = subscribed_queue("alertas")
    delivered, attempts, detail = publish_to_sns(alert, settings(topic))
    [message] = received()
    assert (delivered, attempts, detail) == (True, 1, f"message {message['MessageId']}")
    assert message["Subject"] == "Drift: credit_payment 2024-05"
    assert message["Message"].encode() == alert.payload()


def test_a_fifo_topic_drops_the_repetition_of_a_rerun(aws, alert):
    topic, received = subscribed_queue("alertas.fifo", FifoTopic="true", FifoQueue="true")
    assert [publish_to_sns(alert, settings(topic))[0] for _ in range(2)] == [True, True]
    assert len(received()) == 1


def test_a_topic_that_does_not_exist_is_told(aws, alert):
    topic = "arn:aws:sns:sa-east-1:123456789012:otra"
    assert publish_to_sns(alert, settings(topic)) == (False, 1, "NotFound")


def test_a_slow_answer_is_not_waited_for(aws, alert, receiver, monkeypatch):
    slow = receiver("silent")
    monkeypatch.setenv("AWS_ENDPOINT_URL", slow.url.split("/hook")[0])
    topic = "arn:aws:sns:sa-east-1:123456789012:alertas"
    found = publish_to_sns(alert, settings(topic, timeout_seconds=0.2))
    assert found == (False, 1, "ReadTimeoutError")


def test_an_address_that_is_no_topic_is_refused():
    with pytest.raises(ValueError, match="String should match pattern"):
        settings("alertas")
