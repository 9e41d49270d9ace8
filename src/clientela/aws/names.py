"""Names and tags of what is made in AWS: a name holds the content, so a rerun finds it again."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from clientela.aws.settings import AwsSettings

DIGITS: Final = 12
LONGEST_NAME: Final = 63
"""Characters that SageMaker takes in the name of a model, an endpoint or its configuration."""

OWNER: Final = "managed-by"
OURS: Final = "clientela"
USE_CASE: Final = "use-case"
TESTED: Final = "tested-config"
"""Tag of an endpoint: the last configuration that passed its test, and so the one to go back to."""


def hyphened(name: str) -> str:
    """A name as AWS takes it: hyphens instead of underscores.

    Args:
        name: For example of a use case.

    Returns:
        The same with hyphens.
    """
    return name.replace("_", "-")


def endpoint_name(settings: AwsSettings, use_case: str) -> str:
    """The name of the endpoint of a use case.

    Args:
        settings: Its pattern.
        use_case: Whose.

    Returns:
        A name.
    """
    return hyphened(settings.endpoints.name.replace("<use_case>", use_case))[:LONGEST_NAME].strip(
        "-"
    )


def content_name(prefix: str, content: Mapping[str, Any]) -> str:
    """A name that is another one for any other content.

    Args:
        prefix: How it begins.
        content: JSON values.

    Returns:
        Prefix, hyphen, twelve digits; 63 characters at most.
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return content_prefix(prefix) + sha256(text.encode()).hexdigest()[:DIGITS]


def content_prefix(prefix: str) -> str:
    """What all names of a prefix begin with, which may be shorter than it.

    Args:
        prefix: See `content_name`.

    Returns:
        Some characters, then a hyphen.
    """
    return f"{prefix[: LONGEST_NAME - DIGITS - 1].rstrip('-')}-"


def tags(settings: AwsSettings, **more: str) -> list[dict[str, str]]:
    """Tags of something that we make: whose it is, and what the settings add.

    Args:
        settings: Further tags.
        **more: Further ones, underscores standing for hyphens.

    Returns:
        In the form of most services, sorted by key.
    """
    own = {OWNER: OURS} | {hyphened(key): value for key, value in more.items()}
    return [{"Key": key, "Value": value} for key, value in sorted((settings.tags | own).items())]


def is_ours(found: list[dict[str, str]], use_case: str) -> bool:
    """Whether tags say that something was made by us, for this use case.

    Args:
        found: Tags in the form of most services.
        use_case: Whose.

    Returns:
        False when either tag differs or is missing.
    """
    values = {tag["Key"]: tag["Value"] for tag in found}
    return values.get(OWNER) == OURS and values.get(USE_CASE) == use_case
