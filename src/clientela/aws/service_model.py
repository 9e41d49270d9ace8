"""Holds a request against AWS's own description of it, which comes with botocore: no network.

botocore checks types and required fields before it sends anything. Patterns, allowed words and
largest lengths stand in the same description and are left to AWS, so they are checked here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

UNICODE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "L": r"\w",
        "M": r"\u0300-\u036f",
        "N": r"\d",
        "P": r"!-#%-*,-/:;?@\[-\]_{}\u00a1-\u00bf\u2010-\u2027",
        "S": r"$+<=>\^`|~\u20ac",
        "Z": r" \u00a0\u2000-\u200a",
    }
)
"""Unicode classes of AWS's patterns, within brackets, in characters that Python's `re` has."""

ANYTHING: Final = r"[\s\S]*"


@cache
def _session() -> Any:
    from botocore.session import Session  # noqa: PLC0415 - heavy

    return Session()


@cache
def _input(service: str, operation: str) -> Any:
    return _session().get_service_model(service).operation_model(operation).input_shape


def problems(service: str, operation: str, request: Mapping[str, Any]) -> list[str]:
    """Where a request differs from what AWS takes.

    Args:
        service: As boto3 calls it.
        operation: As AWS calls it.
        request: What would be sent.

    Returns:
        One sentence each; none when it is well formed.
    """
    from botocore.validate import ParamValidator  # noqa: PLC0415

    shape = _input(service, operation)
    # botocore itself makes the tokens that tell a repeated call
    tokens = {name for name, member in shape.members.items() if _is_token(member)}
    given = dict.fromkeys(tokens, "0" * 32) | dict(request)
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        return list(report.generate_report().splitlines())
    return list(_beyond_types(shape, request, ""))


def _is_token(member: Any) -> bool:
    return bool(member.metadata.get("idempotencyToken"))


def _beyond_types(shape: Any, value: Any, place: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from _beyond_types(member, value[name], f"{place}.{name}".lstrip("."))
    elif shape.type_name == "list":
        yield from _sized(shape, len(value), place, "entries")
        for number, each in enumerate(value):
            yield from _beyond_types(shape.member, each, f"{place}[{number}]")
    elif shape.type_name == "map":
        yield from _sized(shape, len(value), place, "entries")
        for key, each in value.items():
            yield from _beyond_types(shape.key, key, f"{place} key")
            yield from _beyond_types(shape.value, each, f"{place}.{key}")
    elif shape.type_name == "string":
        yield from _sized(shape, len(value), place, "characters")
        yield from _worded(shape, value, place)


def _sized(shape: Any, size: int, place: str, what: str) -> Iterator[str]:
    largest = shape.metadata.get("max")
    if largest is not None and size > largest:
        yield f"{place}: {size} {what}, {largest} are the most that AWS takes"


def _worded(shape: Any, value: str, place: str) -> Iterator[str]:
    allowed = shape.enum
    if allowed and value not in allowed:
        yield f"{place}: AWS does not know {value!r}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_python_pattern(pattern), value):
        yield f"{place}: {value!r} does not have the form {pattern}"


@cache
def _python_pattern(pattern: str) -> str:
    # a few patterns end in `$` and a repetition, which no text could match
    whole = re.sub(r"\$\{\d+,\d+\}$", "", pattern)
    written = re.sub(r"\\p\{([A-Z])\}", lambda found: UNICODE[found[1]], whole)
    try:
        re.compile(written)
    except re.error:  # Java's own forms, in a handful of shapes: AWS checks those alone
        return ANYTHING
    return written
