"""Labels from Bedrock with everything in a bucket, as `kedro run --env=aws` makes them.

S3 is a stand-in on loopback; Bedrock is a language model of the tests, over real HTTP.
"""

import io
from pathlib import Path

import pandas as pd
import pytest
from tests.labelling.model_server import model_server, telling_apart

pytestmark = pytest.mark.slow

MODEL = "meta.llama3-70b-instruct-v1:0"
RAW = "credit_preauth/credit_data.csv"
ROWS = 40


@pytest.fixture
def cloud(object_store, aws_client, raw_files):
    """A bucket with few applications, reached by a profile and not by keys in variables."""
    variables = {**object_store, "BUCKET": "un-escritorio-de-creditos", "AWS_PROFILE": "escritorio"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del variables[name]
    lines = raw_files[RAW].splitlines(keepends=True)[: ROWS + 1]
    s3 = aws_client("s3")
    s3.create_bucket(Bucket=variables["BUCKET"])
    s3.put_object(Bucket=variables["BUCKET"], Key=f"raw/{RAW}", Body=b"".join(lines))
    return variables


def profile_of(project: Path) -> None:
    folder = project.parent / ".aws"  # the home of commands in a clone
    folder.mkdir()
    keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    (folder / "credentials").write_text(f"[escritorio]\n{keys}")


def test_bedrock_labels_and_the_answers_stay_in_the_bucket(project_copy, kedro, cloud, aws_client):
    project = project_copy()
    profile_of(project)
    before = sorted(path for path in (project / "data").rglob("*") if path.is_file())
    words = ("run", "--env=aws", "--pipelines=ingestion,labelling", "--tags=credit_preauth")
    with model_server(telling_apart) as server:
        aws = cloud | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.url}
        done = kedro(project, *words, aws=aws)
        assert done.returncode == 0, done.stderr
        assert all(path == f"/model/{MODEL.replace(':', '%3A')}/converse" for path in server.paths)
        asked = sum(server.asked.values())

        again = kedro(project, *words, aws=aws)
        assert again.returncode == 0, again.stderr
        assert sum(server.asked.values()) == asked

    def stored(key):
        return aws_client("s3").get_object(Bucket=cloud["BUCKET"], Key=key)["Body"].read()

    labels = pd.read_parquet(io.BytesIO(stored("intermediate/credit_preauth/labels.parquet")))
    assert set(labels["label_source"].dropna()) == {MODEL}
    assert len(stored("intermediate/credit_preauth/answers/answers.jsonl").splitlines()) >= ROWS
    assert sorted(path for path in (project / "data").rglob("*") if path.is_file()) == before
