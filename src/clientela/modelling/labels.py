"""Features in the words of the people who read scores."""

import re
from collections.abc import Mapping

WINDOW = re.compile(r"_(\d+)m\b")


def readable(feature: str, labels: Mapping[str, str]) -> str:
    """A feature's name for readers: the configured one, or its own with spaces.

    Args:
        feature: Column name.
        labels: Feature to its configured name.

    Returns:
        Words.
    """
    if feature in labels:
        return labels[feature]
    return WINDOW.sub(r" (\1 meses)", feature).replace("_", " ")
