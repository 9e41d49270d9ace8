"""What every labeller does, rules and language models alike: describe a row, and label it."""

from dataclasses import dataclass
from typing import Protocol

from clientela.labelling.cases import Fields
from clientela.labelling.chat import NOTHING, Usage


@dataclass(frozen=True)
class Reply:
    """What a labeller said.

    Attributes:
        text: The description or the label; None where it abstains.
        usage: What it cost.
    """

    text: str | None
    usage: Usage = NOTHING


class Labeller(Protocol):
    """Rules, or a language model.

    Attributes:
        source: What `label_source` says of its labels.
        identity: Everything that its answers depend on beside the row, as text: model, parameters,
            prompts. Equal identities and rows have equal answers, so that stored ones can be used.
        paid: Whether an answer costs something, and is stored.
    """

    source: str
    identity: str
    paid: bool

    def describe(self, fields: Fields) -> Reply:
        """A description of a row for people.

        Args:
            fields: The row.

        Returns:
            A text.

        Raises:
            CallFailed: There is none.
            Hopeless: There will be none for any row.
        """

    def label(self, fields: Fields, description: str) -> Reply:
        """The label of a row.

        Args:
            fields: The row; a language model does not look at it.
            description: Its description.

        Returns:
            One of the labels, or none.

        Raises:
            CallFailed: There is none.
            Hopeless: There will be none for any row.
        """

    def most(self, fields: Fields) -> Usage:
        """Tokens that describing and labelling one row can't exceed, if all goes well."""
