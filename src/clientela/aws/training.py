"""Training the required XGBoost on SageMaker: the requests, and the data in the container's form.

The same model is trained by the training stage, wherever that runs. This is for those whose rules
ask for a SageMaker training job, or whose data outgrow their machine. What such a job answers can't
be tried without an AWS account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from clientela.aws.hyperparameters import METRICS, RANGES, hyperparameters, objective_of, ranges
from clientela.aws.images import prebuilt_image
from clientela.aws.names import content_name, hyphened, tags
from clientela.aws.plan import Action, Plan
from clientela.aws.settings import AwsSettings

PARALLEL_TRIALS: Final = 2
LONGEST_TUNING_NAME: Final = 32

Channel: TypeAlias = Literal["train", "validation"]

RESULTS: Final = (
    "The job's results can't be tried without an AWS account: what is checked here is that AWS's "
    "own description of the call fits. The model that it writes is not registered; compare it with "
    "the one of kedro run --pipelines=training first."
)


@dataclass(frozen=True)
class Learning:
    """What is learned, and from what.

    Attributes:
        use_case: Whose model.
        params: Of XGBoost, in its scikit-learn form, as in `training.candidates`.
        seed: Of every draw.
        data: Channel to the address of its CSV file, target first, without a header.
    """

    use_case: str
    params: Mapping[str, Any]
    seed: int
    data: Mapping[Channel, str]


def training_plan(learning: Learning, settings: AwsSettings, region: str) -> Plan:
    """The training job of the required XGBoost.

    Args:
        learning: What is learned.
        settings: Machines, role, encryption.
        region: Where it runs.

    Returns:
        One call; the name of the job holds its content.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    content = {
        "HyperParameters": hyperparameters(learning.params, learning.seed),
        **_job(learning, settings, region),
    }
    name = content_name(f"clientela-{hyphened(learning.use_case)}", content)
    request = {"TrainingJobName": name, **content, "Tags": _tags(learning, settings)}
    return Plan(
        f"Training {learning.use_case} on SageMaker",
        (Action("sagemaker", "CreateTrainingJob", request, f"training job {name}"),),
        (RESULTS,),
    )


def tuning_plan(learning: Learning, settings: AwsSettings, region: str, trials: int) -> Plan:
    """A Bayesian search for the parameters of the required XGBoost.

    Args:
        learning: What is learned; parameters that are searched are not taken from it.
        settings: Machines, role, encryption.
        region: Where it runs.
        trials: Training jobs in all.

    Returns:
        One call; the name of the job holds its content.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    metric, way = METRICS[objective_of(learning.params)]
    fixed = {
        k: v for k, v in hyperparameters(learning.params, learning.seed).items() if k not in RANGES
    }
    content = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {
                "Type": way,
                "MetricName": f"validation:{metric}",
            },
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": trials,
                "MaxParallelTrainingJobs": min(PARALLEL_TRIALS, trials),
            },
            "ParameterRanges": ranges(),
            "RandomSeed": learning.seed,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": fixed,
            **_job(learning, settings, region),
        },
    }
    name = _tuning_name(learning.use_case, content)
    request = {
        "HyperParameterTuningJobName": name,
        **content,
        "Tags": _tags(learning, settings),
    }
    return Plan(
        f"Searching the parameters of {learning.use_case} on SageMaker",
        (Action("sagemaker", "CreateHyperParameterTuningJob", request, f"tuning job {name}"),),
        (RESULTS,),
    )


def _tuning_name(use_case: str, content: Mapping[str, Any]) -> str:
    """A name of half the length that other things may have."""
    digits = content_name("", content).lstrip("-")
    room = LONGEST_TUNING_NAME - len(digits) - 1
    return f"{f'clientela-{hyphened(use_case)}'[:room].rstrip('-')}-{digits}"


def _job(learning: Learning, settings: AwsSettings, region: str) -> dict[str, Any]:
    machine, key = settings.training, settings.kms_key
    network = settings.network
    job: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": prebuilt_image(region, settings.prebuilt_image),
            "TrainingInputMode": "File",
        },
        "RoleArn": settings.needed_execution_role,
        "InputDataConfig": [_channel(name, place) for name, place in learning.data.items()],
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{settings.needed_bucket}/models/{learning.use_case}/sagemaker",
            **({} if key is None else {"KmsKeyId": key}),
        },
        "ResourceConfig": {
            "InstanceType": machine.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": machine.volume_gb,
            **({} if key is None else {"VolumeKmsKeyId": key}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60 * machine.max_minutes},
        "EnableNetworkIsolation": True,
    }
    if network is not None:
        job["VpcConfig"] = {
            "Subnets": list(network.subnets),
            "SecurityGroupIds": list(network.security_groups),
        }
    return job


def _channel(name: str, address: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": address,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _tags(learning: Learning, settings: AwsSettings) -> list[dict[str, str]]:
    return tags(settings, use_case=learning.use_case)
