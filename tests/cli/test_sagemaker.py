import json

import pandas as pd
import pytest
import s3fs
import yaml
from tests.cli.conftest import ROLE

from clientela.aws.plan import find_request_problems


def plan_of(run):
    assert run.exit_code == 0, run.output
    plan = yaml.safe_load(run.output)
    for action in plan["actions"]:
        assert (
            find_request_problems(action["service"], action["operation"], action["request"]) == []
        )
    return plan


def test_the_training_job_is_planned_without_credentials_or_data(command, no_credentials):
    plan = plan_of(command("sagemaker", "train", "purchase_intensity", "--dry-run"))
    (action,) = plan["actions"]
    assert action["request"]["HyperParameters"]["num_round"] == "300"
    assert action["request"]["HyperParameters"]["objective"] == "reg:squarederror"
    told = " ".join(plan["notes"])
    assert "can't be tried without an AWS account" in told
    assert "No AWS credentials were found" in told


def test_so_is_a_search(command, no_credentials):
    words = ("sagemaker", "train", "purchase_intensity", "--trials=10", "--dry-run")
    (action,) = plan_of(command(*words))["actions"]
    assert action["operation"] == "CreateHyperParameterTuningJob"


def test_a_use_case_without_a_required_xgboost_says_so(command, no_credentials):
    run = command("sagemaker", "train", "customer_segments", "--dry-run")
    assert run.exit_code == 1
    assert "No required candidate of customer_segments is an XGBoost model" in run.output


def test_the_pipeline_is_planned_with_every_step(command, no_credentials):
    plan = plan_of(command("sagemaker", "workflow", "--dry-run"))
    (action,) = plan["actions"]
    definition = json.loads(action["request"]["PipelineDefinition"])
    names = [step["Name"] for step in definition["Steps"]]
    assert "purchase-intensity-training" in names
    assert "credit-payment-deployment" in names
    environment = {p["Name"]: p.get("DefaultValue") for p in definition["Parameters"]}
    assert environment["Environment"] == "aws"


def test_the_pipeline_is_made_and_then_changed(command, gateway, aws_client):
    assert command("sagemaker", "workflow").exit_code == 0
    assert command("sagemaker", "workflow").exit_code == 0
    assert gateway.changes() == ["CreatePipeline", "UpdatePipeline"]
    found = aws_client("sagemaker").describe_pipeline(PipelineName="clientela")
    assert found["RoleArn"] == ROLE


@pytest.mark.parametrize("name", ["deployer", "bucket"])
def test_a_policy_is_printed_without_credentials(command, no_credentials, name):
    run = command("sagemaker", "policies", name)
    assert run.exit_code == 0, run.output
    policy = json.loads(run.output)
    assert policy["Version"] == "2012-10-17"
    if name == "deployer":
        assert "model-package-group/xgboost-ordinal-tecnologia" in run.output
        assert "model-package-group/customer-segments" in run.output


@pytest.fixture
def training_part(gateway, bucket, s3_afresh, aws_client):
    """What the training stage leaves in the bucket, small."""
    rows = 40
    part = pd.DataFrame(
        {
            "id_cliente": [str(i) for i in range(rows)],
            "num_tx_total": [float(i % 7) for i in range(rows)],
            "target_compra_tecnologia": ["sin_compra", "baja", "media", "alta"] * (rows // 4),
        }
    )
    schema = {
        "key": "id_cliente",
        "target": "target_compra_tecnologia",
        "required": ["num_tx_total"],
        "classes": ["sin_compra", "baja", "media", "alta"],
        "values": [0, 1, 2, 4],
    }
    folder = f"{bucket}/processed/model_input/purchase_intensity"
    fs = s3fs.S3FileSystem()
    with fs.open(f"{folder}/training_part.parquet", "wb") as file:
        part.to_parquet(file)
    with fs.open(f"{folder}/feature_schema.json", "w") as file:
        json.dump(schema, file)
    yield
    fs.rm(folder, recursive=True)


@pytest.mark.slow
def test_a_training_job_is_started_on_data_in_the_containers_form(
    command, training_part, gateway, bucket, aws_client
):
    run = command("sagemaker", "train", "purchase_intensity")
    assert run.exit_code == 0, run.output
    again = command("sagemaker", "train", "purchase_intensity")
    assert "there already" in again.output
    (job,) = aws_client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    told = aws_client("sagemaker").describe_training_job(TrainingJobName=job["TrainingJobName"])
    sources = [each["DataSource"]["S3DataSource"]["S3Uri"] for each in told["InputDataConfig"]]
    lines = [s3fs.S3FileSystem().cat_file(source).decode().splitlines() for source in sources]
    assert list(map(len, lines)) == [32, 8]
    assert all(line.count(",") == 1 for line in lines[0])


@pytest.mark.slow
def test_without_training_data_the_stage_is_named(command, gateway, s3_afresh):
    run = command("sagemaker", "train", "purchase_intensity")
    assert run.exit_code == 1
    assert "kedro run --tags=purchase_intensity" in run.output
