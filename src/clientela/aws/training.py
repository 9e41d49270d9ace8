"""Training the required XGBoost on SageMaker: requests, parameters and data for the container.

The same model is trained by the training stage, wherever that runs. This is for those whose rules
ask for a SageMaker training job, or whose data outgrow their machine. What such a job answers can't
be tried without an AWS account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

import pandas as pd

from clientela.aws.plan import Action, Plan
from clientela.aws_settings import AwsSettings, build_tags, content_name, replace_underscores
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.models.binary_decision import BALANCED
from clientela.models.training_data import FeatureSchema, split_stratified
from clientela.registry.sagemaker_registry import get_prebuilt_image

# Parameters of XGBoost's scikit-learn form to those of the container, where they differ.
NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "n_estimators": "num_round",
        "learning_rate": "eta",
        "reg_lambda": "lambda",
        "reg_alpha": "alpha",
        "random_state": "seed",
    }
)

SAME_NAMES: Final = frozenset(
    {
        "objective",
        "max_depth",
        "subsample",
        "colsample_bytree",
        "min_child_weight",
        "gamma",
        "scale_pos_weight",
        "tree_method",
        "max_bin",
        "max_delta_step",
    }
)

# What a tuning job searches: the ranges of the pre-authorisation requirement.
RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "max_depth": (3, 10),
        "eta": (0.01, 0.3),
        "subsample": (0.6, 1.0),
        "colsample_bytree": (0.6, 1.0),
        "min_child_weight": (1, 10),
    }
)

WHOLE: Final = frozenset({"max_depth"})
LOGARITHMIC: Final = frozenset({"eta"})
# Objective to what is measured on the validation part, and which way is better.
METRICS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"reg:squarederror": ("rmse", "Minimize"), "binary:logistic": ("auc", "Maximize")}
)


def get_objective(params: Mapping[str, Any]) -> str:
    """What XGBoost minimises.

    Raises:
        ConfigurationError: It is none that is known how to be measured.
    """
    objective = str(params.get("objective", "binary:logistic"))
    if objective not in METRICS:
        raise ConfigurationError(
            f"Training on SageMaker measures {' and '.join(METRICS)}; the objective is "
            f"{objective!r}. Train with kedro run --pipelines=training."
        )
    return objective


def convert_hyperparameters(params: Mapping[str, Any], seed: int) -> dict[str, str]:
    """The parameters under the container's names, as it takes them: text.

    Raises:
        ConfigurationError: A parameter is none of the container's, or a word in place of a number.
    """
    objective = get_objective(params)
    converted: dict[str, Any] = {
        "objective": objective,
        "eval_metric": METRICS[objective][0],
        "seed": seed,
    }
    for name, value in params.items():
        if name not in SAME_NAMES | set(NAMES):
            raise ConfigurationError(
                f"The XGBoost container of SageMaker has no parameter {name!r}. "
                + did_you_mean(name, SAME_NAMES | set(NAMES))
            )
        if value == BALANCED:
            raise ConfigurationError(
                f"{name}: {BALANCED} is a ratio of rows, and the XGBoost container of SageMaker "
                f"takes a number. Write the number, or train with kedro run --pipelines=training."
            )
        converted[NAMES.get(name, name)] = value
    return {name: str(value) for name, value in sorted(converted.items())}


def build_search_ranges() -> dict[str, list[dict[str, str]]]:
    """What is searched, as a tuning job takes it."""
    listed = {
        name: {
            "Name": name,
            "MinValue": f"{low:g}",
            "MaxValue": f"{high:g}",
            "ScalingType": "Logarithmic" if name in LOGARITHMIC else "Linear",
        }
        for name, (low, high) in RANGES.items()
    }
    return {
        "IntegerParameterRanges": [each for name, each in listed.items() if name in WHOLE],
        "ContinuousParameterRanges": [each for name, each in listed.items() if name not in WHOLE],
    }


PARALLEL_TRIALS: Final = 2
LONGEST_TUNING_NAME: Final = 32

Channel: TypeAlias = Literal["train", "validation"]

RESULTS: Final = (
    "The job's results can't be tried without an AWS account: what is checked here is that AWS's "
    "own description of the call fits. The model that it writes is not registered; compare it with "
    "the one of kedro run --pipelines=training first."
)


@dataclass(frozen=True)
class TrainingSpec:
    """What is learned, and from what.

    Attributes:
        params: Of XGBoost, in its scikit-learn form, as in `training.candidates`.
        data: Channel to the address of its CSV file, target first, without a header.
    """

    use_case: str
    params: Mapping[str, Any]
    seed: int
    data: Mapping[Channel, str]


def build_training_plan(learning: TrainingSpec, settings: AwsSettings, region: str) -> Plan:
    """The training job of the required XGBoost.

    Returns:
        One call; the name of the job holds its content.
    """
    content = {
        "HyperParameters": convert_hyperparameters(learning.params, learning.seed),
        **_build_job_request(learning, settings, region),
    }
    name = content_name(f"clientela-{replace_underscores(learning.use_case)}", content)
    request = {
        "TrainingJobName": name,
        **content,
        "Tags": build_tags(settings, use_case=learning.use_case),
    }
    return Plan(
        f"Training {learning.use_case} on SageMaker",
        (Action("sagemaker", "CreateTrainingJob", request, f"training job {name}"),),
        (RESULTS,),
    )


def build_tuning_plan(
    learning: TrainingSpec, settings: AwsSettings, region: str, trials: int
) -> Plan:
    """A Bayesian search for the parameters of the required XGBoost.

    Args:
        learning: What is learned; parameters that are searched are not taken from it.

    Returns:
        One call; the name of the job holds its content.
    """
    metric, way = METRICS[get_objective(learning.params)]
    fixed = {
        k: v
        for k, v in convert_hyperparameters(learning.params, learning.seed).items()
        if k not in RANGES
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
            "ParameterRanges": build_search_ranges(),
            "RandomSeed": learning.seed,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": fixed,
            **_build_job_request(learning, settings, region),
        },
    }
    name = _make_tuning_name(learning.use_case, content)
    request = {
        "HyperParameterTuningJobName": name,
        **content,
        "Tags": build_tags(settings, use_case=learning.use_case),
    }
    return Plan(
        f"Searching the parameters of {learning.use_case} on SageMaker",
        (Action("sagemaker", "CreateHyperParameterTuningJob", request, f"tuning job {name}"),),
        (RESULTS,),
    )


def _make_tuning_name(use_case: str, content: Mapping[str, Any]) -> str:
    """A name of half the length that other things may have."""
    digits = content_name("", content).lstrip("-")
    room = LONGEST_TUNING_NAME - len(digits) - 1
    return f"{f'clientela-{replace_underscores(use_case)}'[:room].rstrip('-')}-{digits}"


def _build_job_request(
    learning: TrainingSpec, settings: AwsSettings, region: str
) -> dict[str, Any]:
    machine, network = settings.training, settings.network
    job: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": get_prebuilt_image(region, settings.prebuilt_image),
            "TrainingInputMode": "File",
        },
        "RoleArn": settings.needed_execution_role,
        "InputDataConfig": [_build_channel(name, place) for name, place in learning.data.items()],
        "OutputDataConfig": {
            "S3OutputPath": f"{settings.root('models')}/{learning.use_case}/sagemaker",
            **settings.key_field("KmsKeyId"),
        },
        "ResourceConfig": {
            "InstanceType": machine.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": machine.volume_gb,
            **settings.key_field("VolumeKmsKeyId"),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60 * machine.max_minutes},
        "EnableNetworkIsolation": True,
    }
    if network is not None:
        job["VpcConfig"] = network.vpc_config
    return job


def _build_channel(name: str, address: str) -> dict[str, Any]:
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


# Of the training part: what a search is judged on. The test part is never sent.
VALIDATION_SHARE: Final = 0.2


def build_channels(part: pd.DataFrame, schema: FeatureSchema, seed: int) -> dict[Channel, bytes]:
    """The training part as two CSV files: rows to learn from, and rows to watch.

    Returns:
        `train` and `validation`: no header, the class value first, then the required features in
        their order; no key. A missing value is an empty field.
    """
    words = [name for name in schema.required if name in schema.words]
    if words:
        raise ConfigurationError(
            f"The XGBoost container takes numbers only, and {', '.join(words)} are words. Train "
            "with kedro run --pipelines=training."
        )
    learn, watch = split_stratified(
        part, key=schema.key, target=schema.target, test_share=VALIDATION_SHARE, seed=seed
    )
    return {
        "train": format_channel_csv(learn, schema),
        "validation": format_channel_csv(watch, schema),
    }


def format_channel_csv(part: pd.DataFrame, schema: FeatureSchema) -> bytes:
    """Rows as the container reads them.

    Returns:
        CSV without a header: class value, then the required features.
    """
    values = schema.value_array[schema.codes(part)]
    features = part[list(schema.required)].astype("float64")
    table = pd.concat([pd.Series(values, index=part.index), features], axis=1)
    return table.to_csv(index=False, header=False, lineterminator="\n").encode()
