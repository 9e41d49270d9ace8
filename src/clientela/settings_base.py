"""The one base class of everything that a person configures and of every stored description."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

WORD_EXPECTED, RESERVED_WORD = "string_type", "reserved_word"


class FrozenSettings(BaseModel):
    """Frozen, and unknown keys are refused: a misspelt setting fails instead of being ignored.

    Where a word is expected and YAML made a value of it, that alone is said: what else is wrong,
    such as a list that came out too short, often follows from it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="wrap")
    @classmethod
    def _explain_reserved_words(cls, data: Any, validate: Callable[[Any], Self]) -> Self:
        try:
            return validate(data)
        except ValidationError as err:
            misread = [
                InitErrorDetails(
                    type=PydanticCustomError(RESERVED_WORD, "{sentence}", {"sentence": sentence}),
                    loc=found["loc"],
                    input=found["input"],
                )
                for found in err.errors(include_url=False)
                if (sentence := _explain_error(found)) is not None
            ]
            if not misread:
                raise
            raise ValidationError.from_exception_data(cls.__name__, misread) from err


def _explain_error(error: Any) -> str | None:
    """What YAML made of a word; None where something else is wrong."""
    if error["type"] == RESERVED_WORD:  # of settings inside these
        return str(error["msg"])
    value = error["input"]
    return explain_reserved_word(value) if error["type"] == WORD_EXPECTED else None


def explain_reserved_word(value: object) -> str | None:
    """How to write the word that YAML read as this value; None for a word, a list or a block."""
    if isinstance(value, str | list | tuple | dict):
        return None
    if value is None:
        return 'YAML reads null, ~ and an empty place as nothing: write the word in quotes, "null"'
    if isinstance(value, bool):
        word, others = ("yes", "on and true") if value else ("no", "off and false")
        return f'YAML reads {word} as {str(value).lower()}, write "{word}" (so with {others})'
    return f'YAML reads this word as {value!r}, write it in quotes: "{value}"'
