"""Packages on their way into a bucket that fails: they lie there whole, or not at all."""

import fsspec
import pytest
import s3fs
from botocore.exceptions import BotoCoreError
from tests.aws.gateway import Fault
from tests.registry.test_published_models import NEW, OLD, pointer

from clientela.cli.kedro_run import get_user_message
from clientela.registry.package import PublishedModelStore
from clientela.storage import ensure_file, read_file_if_present

FOREVER = 1_000
FAILURES = (OSError, BotoCoreError)


@pytest.fixture
def folder(gateway, bucket, aws_client, monkeypatch):
    """An empty folder in a bucket that is asked with little patience."""
    patience = {"read_timeout": 0.5, "connect_timeout": 0.5, "retries": {"max_attempts": 1}}
    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": patience})
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 2)
    s3fs.S3FileSystem.clear_instance_cache()
    client = aws_client("s3")
    listed = client.list_objects_v2(Bucket=bucket, Prefix="models/").get("Contents", [])
    for each in listed:
        client.delete_object(Bucket=bucket, Key=each["Key"])
    yield f"s3://{bucket}/models/served"
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("kind", ["500", "silent"])
def test_an_upload_that_fails_leaves_nothing_and_a_rerun_writes_it(folder, gateway, kind):
    address = f"{folder}/credit_payment-champion-0123456789ab.tar.gz"
    gateway.faults.append(Fault("PutObject", kind, times=FOREVER))
    with pytest.raises(FAILURES) as failed:
        ensure_file(address, OLD)
    assert "Run the same command again" in get_user_message(failed.value)
    gateway.faults.clear()
    assert read_file_if_present(address) is None
    ensure_file(address, OLD)
    assert read_file_if_present(address) == OLD


@pytest.mark.parametrize("kind", ["500", "silent", "lost"])
def test_publishing_into_a_bucket_that_fails_leaves_the_former_model_served(folder, gateway, kind):
    store, first = PublishedModelStore(folder), pointer(OLD)
    store.publish(OLD, first)
    second = pointer(NEW, number=2, version="f" * 12)
    gateway.faults.append(Fault("PutObject", kind, times=FOREVER))
    with pytest.raises(FAILURES) as failed:
        store.publish(NEW, second)
    assert "Run the same command again" in get_user_message(failed.value)
    gateway.faults.clear()
    assert store.served() == {"credit_payment": first}
    assert store.package(first) == OLD
    store.publish(NEW, second)
    assert store.served() == {"credit_payment": second}
    assert store.package(second) == NEW
