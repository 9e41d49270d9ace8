"""The fields of a manifest as a schema, by which requests are both checked and documented."""

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final, TypeAlias

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from clientela.inference.fields import InputField

LARGEST_WHOLE: Final = 2**53 - 1
"""Up to here, no two whole numbers are the same float, which is what models are fed with."""

LISTED_WORDS: Final = 30
"""The most words that a description lists."""

JsonSchema: TypeAlias = dict[str, Any]


LOCAL_TIME: Final = "local-date-time"
"""What OpenAPI has no word for: date-time demands an offset (RFC 3339)."""

ID: Final = "_id"
"""What the sender calls a case: no model sees it, only the prediction log keeps it, hashed."""

LONGEST_ID: Final = 128


def case_schema(fields: Sequence[InputField], longest_word: int) -> CoreSchema:
    """One case as a JSON object: required fields required, the others nullable, no further ones.

    Args:
        fields: Of the manifest.
        longest_word: Most characters of a word.

    Returns:
        A schema of pydantic-core; it gives a dict of the fields that came, maybe with an `_id`.
    """
    members = {field.name: _member(field, longest_word) for field in fields}
    name = core_schema.str_schema(strict=True, min_length=1, max_length=LONGEST_ID)
    told = {"description": "What you call the case; only the prediction log keeps it, hashed."}
    members[ID] = core_schema.typed_dict_field(
        name, required=False, metadata={"pydantic_js_updates": told}
    )
    return core_schema.typed_dict_schema(members, extra_behavior="forbid")


def json_schema(schema: CoreSchema) -> JsonSchemaValue:
    """The same schema as OpenAPI documents it.

    Args:
        schema: Of `case_schema`.

    Returns:
        JSON Schema.
    """
    return GenerateJsonSchema().generate(schema)


def expectation(field: InputField, longest_word: int) -> str:
    """What a value of a field should be, in words.

    Args:
        field: Which.
        longest_word: Most characters of a word.

    Returns:
        A noun with its limits.
    """
    if field.kind == "word":
        return f"a word of 1 to {longest_word} characters"
    if field.kind == "moment":
        when = _limits(field.earliest, field.latest)
        return f"a local time such as 2024-06-30T10:15:00, without offset{when}"
    noun = "a whole number" if field.kind == "integer" else "a finite number"
    return noun + _limits(_plain(field.minimum), _plain(field.maximum))


def _member(field: InputField, longest_word: int) -> core_schema.TypedDictField:
    kinds = {"number": _number, "integer": _whole, "moment": _moment}
    value = _word(longest_word) if field.kind == "word" else kinds[field.kind](field)
    schema = value if field.required else core_schema.nullable_schema(value)
    told = {"description": _description(field, longest_word)}
    return core_schema.typed_dict_field(
        schema, required=field.required, metadata={"pydantic_js_updates": told}
    )


def _number(field: InputField) -> CoreSchema:
    return core_schema.float_schema(
        strict=True, allow_inf_nan=False, ge=field.minimum, le=field.maximum
    )


def _whole(field: InputField) -> CoreSchema:
    """An integer, or a number such as 12.0; text and booleans are none."""
    least = -LARGEST_WHOLE if field.minimum is None else math.ceil(field.minimum)
    most = LARGEST_WHOLE if field.maximum is None else math.floor(field.maximum)
    integer = core_schema.int_schema(strict=True, ge=least, le=most)
    decimal = core_schema.float_schema(strict=True, allow_inf_nan=False, ge=least, le=most)
    # integers come by the first way, in compiled code
    rounded = core_schema.no_info_after_validator_function(_checked_whole, decimal)
    documented: JsonSchema = {"type": "integer", "minimum": least, "maximum": most}
    return core_schema.union_schema(
        [integer, rounded], mode="left_to_right", metadata=_shown_as(documented)
    )


def _checked_whole(value: float) -> float:
    if not value.is_integer():
        raise PydanticCustomError("whole", "not whole")
    return value


def _word(longest: int) -> CoreSchema:
    text = core_schema.str_schema(strict=True, min_length=1, max_length=longest)
    code = core_schema.int_schema(strict=True, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)
    decimal = core_schema.float_schema(
        strict=True, allow_inf_nan=False, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE
    )
    documented: JsonSchema = {
        "anyOf": [
            {"type": "string", "minLength": 1, "maxLength": longest},
            {"type": "number", "minimum": -LARGEST_WHOLE, "maximum": LARGEST_WHOLE},
        ]
    }
    return core_schema.union_schema(
        [text, code, decimal],
        mode="left_to_right",
        metadata=_shown_as(documented),
    )


def _moment(field: InputField) -> CoreSchema:
    """Local time in ISO form; numbers would be read as seconds since 1970, which have an offset."""
    earliest = None if field.earliest is None else datetime.combine(field.earliest, time())
    end = None if field.latest is None else datetime.combine(field.latest, time())
    documented = {"type": "string", "format": LOCAL_TIME, "examples": ["2024-06-30T10:15:00"]}
    return core_schema.datetime_schema(
        tz_constraint="naive",
        ge=earliest,
        lt=None if end is None else end + timedelta(days=1),
        metadata=_shown_as(documented),
    )


def _shown_as(documented: JsonSchema) -> dict[str, Any]:
    """Has a schema documented as what it takes, not as how it is checked."""
    return {"pydantic_js_functions": [lambda _schema, _handler: dict(documented)]}


def _description(field: InputField, longest_word: int) -> str:
    told = [field.description] if field.description else []
    expected = expectation(field, longest_word)
    told.append(expected[:1].upper() + expected[1:])
    if not field.required:
        told.append("May be left out or null" + _stand_in(field) * field.read)
    if not field.read:
        told.append("This model does not read it: it is checked, and changes no answer")
    if field.seen_minimum is not None or field.seen_maximum is not None:
        seen = _limits(_plain(field.seen_minimum), _plain(field.seen_maximum)).strip()
        told.append(f"The model learned {seen}; beyond that its answer is a guess")
    if 0 < len(field.words) <= LISTED_WORDS:
        told.append(f"The model knows: {', '.join(field.words)}")
    return ". ".join(told) + "."


def _stand_in(field: InputField) -> str:
    if field.missing is not None:
        return f": it then counts as {field.missing}"
    return ": a typical value stands in, and the reply says so"


def _limits(least: object, most: object) -> str:
    if least is None and most is None:
        return ""
    if most is None:
        return f" from {least}"
    return f" up to {most}" if least is None else f" from {least} to {most}"


def _plain(limit: float | None) -> str | None:
    """A limit as people write it: 150, not 150.0."""
    if limit is None:
        return None
    return str(int(limit)) if limit.is_integer() else str(limit)
