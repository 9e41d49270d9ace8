"""The one form of an answer: a JSON object with one known key, and nothing around it."""

import json
import re
from collections.abc import Sequence
from typing import Any

LONGEST_DESCRIPTION = 4000
"""Characters; a longer one repeats itself."""


_REFUSAL = re.compile(
    r"\W*(i'?m sorry|i am sorry|sorry|i can(no|')t|i am (unable|not able)|i'm (unable|not able)|"
    r"as an ai|lo siento|no puedo|no me es posible|como (modelo|ia))\b",
    re.IGNORECASE,
)


class OffContract(ValueError):
    """An answer in another form; the message says what is wrong, and never repeats the answer."""


class Refusal(OffContract):
    """Words of apology in the place of an answer: to ask for another form would not help."""


def description_in(answer: str) -> str:
    """The description in an answer.

    Args:
        answer: What the model wrote: `{"description": "…"}`.

    Returns:
        The text, trimmed.

    Raises:
        OffContract: It is something else.
        Refusal: It is an apology.
    """
    text = _only_value(answer, "description")
    if len(text) > LONGEST_DESCRIPTION:
        raise OffContract(
            f'"description" must have at most {LONGEST_DESCRIPTION} characters, has {len(text)}'
        )
    return text


def label_in(answer: str, labels: Sequence[str]) -> str:
    """The label in an answer.

    Args:
        answer: What the model wrote: `{"label": "…"}`.
        labels: The labels there are; one is to be repeated letter by letter.

    Returns:
        One of them.

    Raises:
        OffContract: It is something else.
        Refusal: It is an apology.
    """
    label = _only_value(answer, "label")
    if label not in labels:
        raise OffContract(f'"label" must be exactly one of {", ".join(map(json.dumps, labels))}')
    return label


def _only_value(answer: str, key: str) -> str:
    try:
        found = json.loads(answer, object_pairs_hook=_once, parse_constant=_refused)
    except json.JSONDecodeError as err:
        if _REFUSAL.match(answer):
            raise Refusal("the model refused to answer") from err
        raise OffContract("the answer must be one JSON object, with no text around it") from err
    except RecursionError as err:
        raise OffContract("the answer must be one flat JSON object") from err
    if not isinstance(found, dict) or list(found) != [key]:
        raise OffContract(f'the JSON object must have the one key "{key}"')
    value = found[key]
    if not isinstance(value, str) or not value.strip():
        raise OffContract(f'"{key}" must be a string that is not empty')
    return value.strip()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise OffContract("the JSON object must not repeat a key")
    return found


def _refused(constant: str) -> Any:
    raise OffContract(f"{constant} is no JSON")
