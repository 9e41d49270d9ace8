"""Where alerts go: the typed form of configuration."""

from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    NonNegativeFloat,
    PositiveFloat,
    Secret,
)


class Patience(BaseModel):
    """How long one channel is tried.

    Attributes:
        timeout_seconds: To connect, and to wait for an answer; each time.
        attempts: At most so many; only what may pass is tried again.
        pause_seconds: Before the second attempt; doubled before each further one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_seconds: PositiveFloat = 5.0
    attempts: int = Field(default=3, ge=1, le=10)
    pause_seconds: NonNegativeFloat = 1.0


class WebhookSettings(BaseModel):
    """An address that takes an alert as JSON by POST.

    Attributes:
        kind: Tells it from the others.
        url: The address; a secret, since those of chat services let anybody write who knows them.
        patience: How long it is tried.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["webhook"] = "webhook"
    url: Secret[HttpUrl]
    patience: Patience = Patience()


class SnsSettings(BaseModel):
    """A topic of Amazon SNS; credentials, region and endpoint come from the standard AWS chain.

    Attributes:
        kind: Tells it from the others.
        topic_arn: The topic.
        patience: How long it is tried.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sns"] = "sns"
    topic_arn: str = Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$")
    patience: Patience = Patience()


ChannelSettings: TypeAlias = Annotated[WebhookSettings | SnsSettings, Field(discriminator="kind")]


class AlertSettings(BaseModel):
    """Who is told.

    Attributes:
        channels: Where alerts go; none by default.
        deadline_seconds: A run waits no longer than this for all of them together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: tuple[ChannelSettings, ...] = ()
    deadline_seconds: PositiveFloat = 30.0
