import re

import pytest
from tests.aws.gateway import Fault

from clientela.exceptions import DeploymentError, RegistryError
from clientela.storage import read_object, require_object, split_s3_address, write_object

PLACE = "s3://una-tienda/processed/model_input/a/train.csv"
KEY = "processed/model_input/a/train.csv"


@pytest.fixture(autouse=True)
def nothing_there(gateway, aws_client, bucket):
    aws_client("s3").delete_object(Bucket=bucket, Key=KEY)


@pytest.mark.parametrize("kind", ["500", "silent", "lost"])
def test_a_file_is_there_whole_or_not_at_all_and_a_rerun_writes_it(
    settings, clients, gateway, kind
):
    content = b"1,2\n" * 5000
    gateway.faults.append(Fault("PutObject", kind, times=2))
    with pytest.raises(DeploymentError, match=f"^Writing {re.escape(PLACE)}: AWS "):
        write_object(content, PLACE, clients, settings, DeploymentError)
    if kind != "lost":  # written, and only its answer did not come
        with pytest.raises(RegistryError, match="nothing lies at"):
            require_object(PLACE, clients, "Registering")
    write_object(content, PLACE, clients, settings, DeploymentError)
    require_object(PLACE, clients, "Registering")
    assert read_object(PLACE, clients, DeploymentError) == content


def test_one_fault_is_tried_again(settings, clients, gateway):
    gateway.faults.append(Fault("PutObject", "500"))
    write_object(b"1", PLACE, clients, settings, DeploymentError)
    assert read_object(PLACE, clients, DeploymentError) == b"1"


def test_a_key_of_ones_own_encrypts_what_is_written(settings, clients, gateway, aws_client, bucket):
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
    own = settings.model_copy(update={"kms_key": key})
    write_object(b"1", PLACE, clients, own, DeploymentError)
    found = aws_client("s3").head_object(Bucket=bucket, Key=KEY)
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)


def test_an_address_that_is_not_in_s3_is_refused():
    assert split_s3_address("s3://a/b/c") == ("a", "b/c")
    with pytest.raises(RegistryError, match=r"reads models from S3 only.*--env=aws"):
        split_s3_address("data/06_models/a.tar.gz")
