"""How the API is run: read once from variables of the environment, then frozen."""

import ipaddress
from collections.abc import Mapping
from typing import Final, Self

from pydantic import (
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.settings_base import FrozenSettings

PREFIX: Final = "CLIENTELA_API_"
# Where the project's segments are loaded; the API reads the same one unless told otherwise.
DATABASE: Final = "CLIENTELA_DATABASE"

# Characters: 64 bits even of hexadecimal digits, far beyond guessing over a network.
SHORTEST_SECRET: Final = 16


class ServingSettings(FrozenSettings):
    """Every setting; the variable of each is `CLIENTELA_API_` and its name in capitals.

    Attributes:
        served: Folder of the approved models, local or `s3://`.
        model: Folder of one unpacked package, instead of `served`.
        poll_seconds: Between two looks for newly approved models.
        token: What callers show as bearer; needed unless only this machine can call.
        token_file: File that holds it, instead of `token`.
        trusted: Nobody but a trusted caller reaches the port (SageMaker): no token is asked.
        largest_batch_with_reasons: The same where reasons are asked for, which take longer.
        inline_bytes: A body up to this size is answered at once; a larger one in a thread, so that
            others need not wait for it.
        head_seconds: To send the head of a request.
        grace_seconds: For requests in flight when the server is told to stop.
        database: Where segments are looked up, as an SQLAlchemy URL; `segments_file` else.
        predictions: Folder of the prediction log; none is kept without.
        predictions_waiting: Most cases that wait to be written; more are dropped and counted.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    served: str | None = None
    model: str | None = None
    use_case: str = "credit_payment"
    poll_seconds: PositiveFloat = 5.0
    token: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    token_file: str | None = None
    trusted: bool = False
    open_metrics: bool = False
    open_docs: bool = True
    largest_body: PositiveInt = 6 * 1024**2
    largest_batch: PositiveInt = 5_000
    largest_batch_with_reasons: PositiveInt = 200
    longest_word: PositiveInt = 200
    reasons: PositiveInt = 3
    problems: PositiveInt = 20
    inline_bytes: PositiveInt = 32 * 1024
    body_seconds: PositiveFloat = 30.0
    head_seconds: PositiveFloat = 10.0
    connections: PositiveInt = 1_000
    grace_seconds: PositiveInt = 25
    database: SecretStr | None = None
    segments_file: str | None = None
    segments_table: str = "clientes_segmentados"
    predictions: str | None = None
    predictions_share: float = Field(default=1.0, gt=0, le=1)
    predictions_salt: SecretStr | None = Field(default=None, min_length=SHORTEST_SECRET)
    predictions_waiting: PositiveInt = 20_000

    @model_validator(mode="after")
    def _validate_combination(self) -> Self:
        if (self.served is None) == (self.model is None):
            raise ValueError("served or model: name one of the two, the folder of the models")
        if self.predictions is not None and self.predictions_salt is None:
            raise ValueError(
                "predictions needs predictions_salt, a secret that ids are hashed with"
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the port."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def load_serving_settings(environment: Mapping[str, str]) -> ServingSettings:
    """The settings in the variables of an environment.

    Raises:
        ConfigurationError: A variable is unknown, or its value can't be.
    """
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    for name in sorted(set(given) - set(ServingSettings.model_fields)):
        known = [get_variable_name(field) for field in ServingSettings.model_fields]
        variable = get_variable_name(name)
        raise ConfigurationError(
            f"No setting is called {variable}. {did_you_mean(variable, known)}"
        )
    if environment.get(DATABASE):
        given.setdefault("database", environment[DATABASE])
    try:
        return ServingSettings.model_validate(given)
    except ValidationError as err:
        problems = []
        for error in err.errors(include_url=False, include_input=False):
            place = ".".join(get_variable_name(str(part)) for part in error["loc"])
            problems.append(f"{place}: {error['msg']}" if place else error["msg"])
        words = "; ".join(problems)
        raise ConfigurationError(f"The API can't be run with these settings: {words}.") from None


def get_variable_name(name: str) -> str:
    """The variable that a setting is read from."""
    return PREFIX + name.upper()
