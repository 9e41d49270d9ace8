"""What a training job on SageMaker learns from: the training part, in the container's form."""

from collections.abc import Mapping
from typing import Any, cast

from clientela.aws.storage import stored
from clientela.aws.training import Channel, Learning
from clientela.aws.training_data import channels
from clientela.commands.account import Account
from clientela.commands.environment import Environment
from clientela.exceptions import ConfigurationError, DeploymentFailed, StageInputMissing
from clientela.modelling.schema import FeatureSchema
from clientela.registry.whole_files import sha256_of

UNKNOWN = "of-the-training-part"
DIGITS = 12
FILE = "data.csv"


def learning_on_paper(environment: Environment, use_case: str, account: Account) -> Learning:
    """What would be learned, without reading or writing any data.

    Args:
        environment: With the parameters of training.
        use_case: Whose model.
        account: Where the data would lie.

    Returns:
        What a job is asked for; the folder of its data has another name.

    Raises:
        ConfigurationError: The use case has no required XGBoost.
    """
    names: tuple[Channel, ...] = ("train", "validation")
    return _learning(
        environment, use_case, {name: _address(account, use_case, UNKNOWN, name) for name in names}
    )


def uploaded_learning(environment: Environment, use_case: str, account: Account) -> Learning:
    """What is learned, once its data lie in the bucket; equal data lie there once.

    Args:
        environment: With the catalog of the training stage.
        use_case: Whose model.
        account: Where the data go.

    Returns:
        What a job is asked for.

    Raises:
        StageInputMissing: The training stage has not run.
        ConfigurationError: The use case has no required XGBoost, or its features are words.
        DeploymentFailed: The bucket can't be reached, or refuses.
    """
    training = _training(environment, use_case)
    files = _files(environment, use_case, int(training["seed"]))
    digest = sha256_of(b"".join(files[name] for name in sorted(files)))[:DIGITS]
    places: dict[Channel, str] = {}
    for name, content in files.items():
        places[name] = _address(account, use_case, digest, name)
        stored(content, places[name], account.clients, account.settings, DeploymentFailed)
    return _learning(environment, use_case, places)


def _address(account: Account, use_case: str, digest: str, channel: str) -> str:
    folder = f"s3://{account.settings.needed_bucket}/processed/model_input/{use_case}/sagemaker"
    return f"{folder}/{digest}/{channel}/{FILE}"


def _learning(environment: Environment, use_case: str, data: Mapping[Channel, str]) -> Learning:
    training = _training(environment, use_case)
    for candidate in training.get("candidates", {}).values():
        if candidate["role"] == "required" and candidate["kind"].startswith("xgboost_"):
            params = candidate.get("params", {})
            return Learning(use_case, params, int(training["seed"]), data)
    raise ConfigurationError(
        f"No required candidate of {use_case} is an XGBoost model (training.candidates), so the "
        "container of SageMaker can't train it. Train with kedro run --pipelines=training."
    )


def _training(environment: Environment, use_case: str) -> dict[str, Any]:
    environment.use_case(use_case)
    found: dict[str, Any] = environment.parameters[use_case].get("training", {})
    return found


def _files(environment: Environment, use_case: str, seed: int) -> dict[Channel, bytes]:
    # Kedro's session takes seconds to import, and only this needs its catalog
    from kedro.framework.session import KedroSession  # noqa: PLC0415
    from kedro.framework.startup import bootstrap_project  # noqa: PLC0415

    bootstrap_project(environment.project)
    with KedroSession.create(
        environment.project,
        env=environment.loader.env,
        conf_source=str(environment.loader.conf_source),
        save_on_close=False,
    ) as session:
        catalog = cast("KedroSession", session).load_context().catalog
        names = (f"{use_case}.training_part", f"{use_case}.feature_schema")
        absent = [name for name in names if not catalog.exists(name)]
        if absent:
            raise StageInputMissing(
                f"{', '.join(absent)} is not there yet. Run first: kedro run --tags={use_case}"
            )
        part, schema = (catalog.load(name) for name in names)
    return channels(part, FeatureSchema.model_validate(schema), seed)
