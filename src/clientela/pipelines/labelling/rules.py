"""Labels by rules that people wrote, and descriptions by a template: no network, no chance."""

import json
from collections.abc import Sequence

from clientela.models.labels import OfflineSettings, Rule
from clientela.pipelines.labelling.language_model import Fields, Reply, Usage, Value
from clientela.text import normalize_word

OPENING = {"es": "Solicitud con estos datos: ", "en": "An application with these data: "}


class OfflineLabeller:
    """A scorecard of rules, which abstains in the middle; see `Labeller`.

    It reads the columns, not the description, and its `label_source` says so: `rules-<version>`.

    Args:
        labels: Label of the negative and of the positive class.
    """

    paid: bool = False

    def __init__(self, settings: OfflineSettings, labels: Sequence[str]) -> None:
        self._settings = settings
        self._negative, self._positive = labels
        self.source: str = f"rules-{settings.version}"
        self.identity: str = json.dumps(settings.model_dump(mode="json"), sort_keys=True)

    def describe(self, fields: Fields) -> Reply:
        """See `Labeller`: every column with its value, in one sentence."""
        said = "; ".join(f"{name}: {value}" for name, value in fields.items())
        return Reply(f"{OPENING[self._settings.language]}{said}.")

    def label(self, fields: Fields, description: str) -> Reply:
        """See `Labeller`; the description is not looked at."""
        del description
        points = sum(rule.points for rule in self._settings.rules if is_rule_met(rule, fields))
        if points >= self._settings.positive_from:
            return Reply(self._positive)
        return Reply(self._negative if points <= self._settings.negative_to else None)

    def most(self, fields: Fields) -> Usage:
        """See `Labeller`: nothing."""
        del fields
        return Usage()


def is_rule_met(rule: Rule, fields: Fields) -> bool:
    """Whether a rule applies to a row; to a missing number none does."""
    value = fields[rule.column]
    if rule.words:
        return normalize_word(str(value)) in {normalize_word(word) for word in rule.words}
    number = _parse_number_or_none(value)
    if number is None:
        return False
    above = rule.at_least is None or number >= rule.at_least
    return above and (rule.below is None or number < rule.below)


def _parse_number_or_none(value: Value) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
