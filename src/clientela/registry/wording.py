"""Entries of a registry in words."""

from collections.abc import Mapping

from clientela.registry.base import RegisteredModel


def registered_sentence(entries: Mapping[str, RegisteredModel]) -> str:
    """What was registered, and the command that approves it where that is still to be done.

    Args:
        entries: Role to its entry; at least one, all of one use case.

    Returns:
        One or two sentences.
    """
    told = ", ".join(
        f"{role} {entry.version} is number {entry.number} of {entry.group} ({entry.status})"
        for role, entry in entries.items()
    )
    first = next(iter(entries.values()))
    sentence = f"{first.use_case} is registered: {told}."
    pending = [role for role, entry in entries.items() if entry.status == "pending"]
    if not pending:
        return sentence
    option = "" if "champion" in pending else f" --role={pending[0]}"
    return f"{sentence} Approve with: clientela approve {first.use_case}{option}"
