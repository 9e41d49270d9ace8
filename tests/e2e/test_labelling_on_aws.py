"""Labels from Bedrock with everything in a bucket, as `kedro run --env=aws` makes them.

S3 is a stand-in on loopback; Bedrock is a language model of the tests, over real HTTP.
"""

import io

import pandas as pd
import pytest
from tests.e2e.conftest import reached_by
from tests.labelling.model_server import model_server, telling_apart

pytestmark = pytest.mark.slow

BUCKET = "un-escritorio-de-creditos"
MODEL = "meta.llama3-70b-instruct-v1:0"
RAW = "credit_preauth/credit_data.csv"
ROWS = 12


@pytest.fixture
def cloud(object_store, aws_client, raw_files, tmp_path, monkeypatch):
    """A bucket with few applications, reached by a profile and not by keys in variables."""
    keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    (tmp_path / "credentials").write_text(f"[escritorio]\n{keys}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    lines = raw_files[RAW].splitlines(keepends=True)[: ROWS + 1]
    s3 = aws_client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=f"raw/{RAW}", Body=b"".join(lines))
    return {
        "AWS_ENDPOINT_URL": object_store["AWS_ENDPOINT_URL"],
        "AWS_DEFAULT_REGION": object_store["AWS_DEFAULT_REGION"],
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_PROFILE": "escritorio",
        "BUCKET": BUCKET,
    }


def test_bedrock_is_asked_only_by_name_and_a_second_run_pays_for_no_answer_again(
    kedro_command, cloud, aws_client, finished
):
    words = ("--pipelines=ingestion,labelling", "--tags=credit_preauth", "--env=aws")
    words = (*words, f"--conf-source={finished / 'conf'}")
    by_name = "--params=labeller=bedrock,budget=7"
    with model_server(telling_apart) as server:
        aws = cloud | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.url}
        asked = []
        for extra in ((), (by_name,), (by_name,)):
            with reached_by(aws):
                done = kedro_command(*words, *extra)
            assert done.exit_code == 0, done.output
            asked.append(sum(server.asked.values()))
        assert asked[0] == 0
        assert asked[1] == asked[2] > 0
        assert {*server.paths} == {f"/model/{MODEL.replace(':', '%3A')}/converse"}

    def stored(key):
        return aws_client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()

    labels = pd.read_parquet(io.BytesIO(stored("intermediate/credit_preauth/labels.parquet")))
    assert set(labels["label_source"].dropna()) == {MODEL}
    assert len(stored("intermediate/credit_preauth/answers/answers.jsonl").splitlines()) >= ROWS
