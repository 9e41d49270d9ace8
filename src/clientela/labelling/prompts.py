"""The texts that a language model is asked with: files of the catalog, filled in without markup."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

from clientela.exceptions import ConfigurationError
from clientela.labelling.cases import Fields

DESCRIBE_PLACES = frozenset({"row"})
LABEL_PLACES = frozenset({"description", "labels"})


@dataclass(frozen=True)
class Prompt:
    """One text in two parts, divided by a line of three dashes.

    Attributes:
        system: Who the model is to be, and the form of its answer.
        user: What it is asked; `$name` is a place that is filled in.
    """

    system: str
    user: str


@dataclass(frozen=True)
class Prompts:
    """Both texts.

    Attributes:
        describe: Asks for a description; its place is `$row`.
        label: Asks for a label; its places are `$description` and `$labels`.
    """

    describe: Prompt
    label: Prompt


def prompts_of(describe: str, label: str) -> Prompts:
    """Both texts, checked.

    Args:
        describe: Content of the file that asks for a description.
        label: Content of the file that asks for a label.

    Returns:
        The prompts.

    Raises:
        ConfigurationError: A file is not in two parts, or its places are other ones.
    """
    return Prompts(
        _prompt("describe", describe, DESCRIBE_PLACES), _prompt("label", label, LABEL_PLACES)
    )


def row_as_data(fields: Fields) -> str:
    """A row as a language model reads it: JSON, in which no text can end its own quotes."""
    return json.dumps(dict(fields), ensure_ascii=False, indent=1)


def labels_as_data(labels: Sequence[str]) -> str:
    """The labels to choose from, each in quotes."""
    return " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)


def filled(prompt: Prompt, **places: str) -> Prompt:
    """The prompt with its places filled in, in both parts.

    Args:
        prompt: With places.
        places: Name to text; what a text holds is never taken for a place itself.

    Returns:
        Without places.
    """
    return Prompt(
        Template(prompt.system).safe_substitute(places),
        Template(prompt.user).safe_substitute(places),
    )


def _prompt(name: str, text: str, places: frozenset[str]) -> Prompt:
    system, divider, user = text.replace("\r\n", "\n").partition("\n---\n")
    if not divider or not system.strip() or not user.strip():
        raise ConfigurationError(
            f"The prompt {name!r} should be two texts divided by a line of three dashes: what the "
            "model is told of its task, and what it is asked. Mend the file that the catalog names "
            f"for {name}_prompt."
        )
    found = set(Template(system).get_identifiers()) | set(Template(user).get_identifiers())
    if found != places:
        raise ConfigurationError(
            f"The prompt {name!r} should have the places {_dollars(places)}, and has "
            f"{_dollars(found)}. A dollar sign of your own is written $$."
        )
    return Prompt(system.strip(), user.strip())


def _dollars(places: frozenset[str] | set[str]) -> str:
    return ", ".join(f"${place}" for place in sorted(places)) or "none"
