"""The one base class of everything that a person configures and of every stored description."""

from pydantic import BaseModel, ConfigDict


class FrozenSettings(BaseModel):
    """Frozen, and unknown keys are refused: a misspelt setting fails instead of being ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
