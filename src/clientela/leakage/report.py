"""The leakage report: what was proven, what is suspicious, and who allowed it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clientela.exceptions import ConfigurationError, LeakageFound, did_you_mean

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class LeakageRules(BaseModel):
    """When a feature is refused.

    Attributes:
        concordance_limit: A feature that alone orders the target better than this is refused.
        allowed: Feature to the reason why a person allows it all the same.
        after_decision: Column to the reason why its value is not known when the decision is taken:
            a feature made of it is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concordance_limit: float = Field(default=0.95, gt=0.5, le=1)
    allowed: dict[str, Reason] = {}
    after_decision: dict[str, Reason] = {}


def require_known_names(
    rules: LeakageRules, *, features: Iterable[str], columns: Iterable[str]
) -> None:
    """Refuse rules about names that do not exist: a misspelt one would leave the gate open.

    Args:
        rules: What a person wrote.
        features: Every feature.
        columns: Columns that features are made of, or that are excluded with a reason.

    Raises:
        ConfigurationError: Names the first, and what it may have meant.
    """
    for block, names, known, sort in (
        ("allowed", rules.allowed, tuple(features), "feature"),
        ("after_decision", rules.after_decision, tuple(columns), "column of the features"),
    ):
        for name in names:
            if name not in known:
                raise ConfigurationError(
                    f"leakage.{block}: no {sort} is called {name!r}, so this line would be "
                    f"without effect. {did_you_mean(name, known)} Correct it, or remove it."
                )


def leakage_report(  # noqa: PLR0913, PLR0917 - one argument for each thing that is known
    concordance: "pd.Series[float]",
    changed_rows: Mapping[str, int] | None,
    rows: int,
    warnings: list[str],
    rules: LeakageRules,
    late: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What is known about leakage.

    Args:
        concordance: Feature to how well it alone orders the target.
        changed_rows: Feature to the customers whose value changed when the future was scrambled;
            None where a use case has no cutoff.
        rows: Customers compared.
        warnings: Further things a reader must know.
        rules: Limits and allowances.
        late: Feature to the reason why it is not known when the decision is taken; None where the
            cutoff settles that.

    Returns:
        `sees_the_future`, `suspicious`, `refused`, `allowed`, `concordance`, `warnings`, `rows` and
        a `sentence`; with `late` also `after_decision`.
    """
    future = sorted(name for name, count in (changed_rows or {}).items() if count)
    suspicious = [str(name) for name, c in concordance.items() if c > rules.concordance_limit]
    found = dict.fromkeys([*future, *(late or {}), *suspicious])
    refused = [name for name in found if name not in rules.allowed]
    tolerated = [name for name in found if name in rules.allowed]
    report: dict[str, Any] = {
        "sentence": _sentence(refused, tolerated, changed_rows, rows),
        "rows": rows,
        "refused": refused,
        "sees_the_future": {name: (changed_rows or {})[name] for name in future},
        "suspicious": {name: round(float(concordance[name]), 6) for name in suspicious},
        "concordance_limit": rules.concordance_limit,
        "allowed": dict(sorted(rules.allowed.items())),
        "warnings": warnings,
        "concordance": {str(name): round(float(c), 6) for name, c in concordance.items()},
    }
    return report if late is None else report | {"after_decision": dict(late)}


def _sentence(
    refused: list[str], tolerated: list[str], changed_rows: Mapping[str, int] | None, rows: int
) -> str:
    if refused:
        return f"Refused until somebody looks: {', '.join(refused)}."
    other = ""
    if tolerated:
        other = f"Allowed by name although suspicious: {', '.join(tolerated)}. Otherwise: "
    if changed_rows is None:
        return f"{other}No feature alone predicts the target suspiciously well."
    return (
        f"{other}No feature of {rows} customers changed when every row at or past its cutoff was "
        "scrambled, and none alone predicts the target suspiciously well."
    )


def require_no_leak(report: Mapping[str, Any]) -> None:
    """Stops where a feature is refused.

    Args:
        report: See `leakage_report`.

    Raises:
        LeakageFound: Names the features and what can be done.
    """
    if not report["refused"]:
        return
    causes = [f"{name} ({_cause(name, report)})" for name in report["refused"]]
    raise LeakageFound(
        f"Features that know too much: {'; '.join(causes)}. Remove them, mend how they are "
        "computed, or allow one by name with a reason: "
        "leakage: {allowed: {<feature>: <reason>}}."
    )


def _cause(name: str, report: Mapping[str, Any]) -> str:
    changed = report["sees_the_future"].get(name)
    if changed is not None:
        return f"changed for {changed} customers when the future was scrambled"
    late = report.get("after_decision", {}).get(name)
    if late is not None:
        return f"not known when the decision is taken: {late}"
    concordance, limit = report["suspicious"][name], report["concordance_limit"]
    return f"alone orders the target with concordance {concordance:.3f}, limit {limit}"
