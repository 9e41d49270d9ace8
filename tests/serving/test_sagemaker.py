"""The contract of SageMaker's containers, asked by its own client."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.serving.models import FIELDS, TWELVE
from tests.serving.running import running
from tests.serving.test_model_store import unpack

LINE = ",".join(map(str, TWELVE.values())) + ",,,,"
HEADER = ",".join(field.name for field in FIELDS)


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    """As SageMaker runs it: one unpacked package, nobody asked for a token."""
    folder = tmp_path_factory.mktemp("model")
    unpack(folder)
    with running(model=str(folder), trusted=True) as server:
        yield server


@pytest.fixture(scope="module")
def runtime(container):
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=container.url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106
        config=Config(retries={"total_max_attempts": 1}),
    )


def invoke(runtime, body, media="application/json", accept="application/json", **more):
    reply = runtime.invoke_endpoint(
        EndpointName="clientela-credit-payment", Body=body, ContentType=media, Accept=accept, **more
    )
    return reply["ContentType"], reply["Body"].read().decode()


def test_ping_answers_once_the_model_is_there(container):
    reply = container.client.get("/ping")
    assert (reply.status_code, reply.content) == (200, b"")


@pytest.mark.parametrize("name", ["data", "instances"])
def test_json_is_answered_in_both_forms(runtime, name):
    media, content = invoke(runtime, json.dumps({name: [TWELVE, TWELVE]}))
    assert media == "application/json"
    assert len(json.loads(content)["predictions"]) == 2


def test_csv_without_header_is_answered_by_csv_without_header(runtime):
    media, content = invoke(runtime, f"{LINE}\n{LINE}\n", "text/csv", "text/csv")
    first, second = content.splitlines()
    assert media == "text/csv"
    assert first == second
    assert first.startswith("paga_a_tiempo,0.69")


def test_csv_with_header_is_answered_by_csv_with_header(runtime):
    _, content = invoke(runtime, f"{HEADER}\n{LINE}\n", "text/csv", "text/csv")
    assert content.splitlines()[0] == "clase,probabilidad,no_paga,paga_a_tiempo"


@pytest.mark.parametrize(
    ("media", "accept", "came"),
    [
        ("text/csv", "application/json", "application/json"),
        ("text/csv", "*/*", "text/csv"),
        ("text/csv", "image/png, text/csv;q=0.5", "text/csv"),
        ("text/csv", "application/*", "application/json"),
        ("application/json", "text/csv", "text/csv"),
        ("application/json", "text/*", "text/csv"),
        ("application/json", "*/*", "application/json"),
    ],
)
def test_the_reply_is_of_the_type_that_is_accepted(runtime, media, accept, came):
    body = LINE if media == "text/csv" else json.dumps({"data": [TWELVE]})
    assert invoke(runtime, body, media, accept)[0] == came


@pytest.mark.parametrize(
    ("media", "accept", "status"),
    [
        ("application/x-npy", "text/csv", 415),
        ("text/csv", "application/x-npy", 406),
        ("text/libsvm", "*/*", 415),
    ],
)
def test_other_types_are_refused(runtime, media, accept, status):
    with pytest.raises(ClientError) as found:
        invoke(runtime, LINE, media, accept)
    assert found.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_more_than_six_megabytes_are_refused(runtime):
    with pytest.raises(ClientError) as found:
        invoke(runtime, b"x" * (6 * 1024**2 + 1), "text/csv")
    assert found.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_endpoint_tells_its_fields(runtime):
    _, content = invoke(runtime, b"{}", CustomAttributes="describe")
    told = json.loads(content)
    assert [field["name"] for field in told["fields"]] == [field.name for field in FIELDS]
    assert told["use_case"] == "credit_payment"


def test_the_one_model_is_the_default_whatever_is_configured(container):
    reply = container.client.post("/predict", json={"data": [TWELVE]})
    assert reply.json()["model"]["use_case"] == "credit_payment"


def test_with_many_models_the_endpoints_name_chooses(api):
    case = json.dumps({"data": [{"gasto_farmacia": 1, "gasto_supermercado": 2}]})
    headers = {"content-type": "application/json"}
    place = "/endpoints/clientela-customer-segments/invocations"
    reply = api.client.post(place, content=case, headers=headers)
    assert reply.json()["model"]["use_case"] == "customer_segments"
    other = json.dumps({"data": [TWELVE]})
    reply = api.client.post("/endpoints/another/invocations", content=other, headers=headers)
    assert reply.json()["model"]["use_case"] == "credit_payment"
