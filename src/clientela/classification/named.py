"""Things that configuration calls by name: measures, decision rules, calibrations."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from clientela.exceptions import ConfigurationError, did_you_mean

Entry = TypeVar("Entry")


def check_name(sort: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that nothing has.

    Args:
        sort: What is sought, for the message.
        name: The name that configuration gives.
        known: The names there are.

    Raises:
        ConfigurationError: It is none of them.
    """
    names = tuple(known)
    if name not in names:
        raise ConfigurationError(f"No {sort} is called {name!r}. {did_you_mean(name, names)}")


class Named(Mapping[str, Entry]):
    """Entries by the name that configuration uses, in a fixed order.

    Args:
        sort: What the entries are, for messages.
        entries: Name to entry.
    """

    def __init__(self, sort: str, entries: Mapping[str, Entry]) -> None:
        self._sort, self._entries = sort, dict(entries)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def named(self, name: str) -> Entry:
        """The entry of a name that a person wrote.

        Args:
            name: The name that configuration gives.

        Returns:
            The entry.

        Raises:
            ConfigurationError: No entry has this name; the message names the nearest ones.
        """
        check_name(self._sort, name, self)
        return self[name]
