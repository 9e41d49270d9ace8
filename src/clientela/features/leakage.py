"""The leakage proof: features must not notice the future, nor predict the target suspiciously well.

The future is scrambled: in `last_transaction` mode the dates themselves define the cutoff and stay,
everything else of the later rows changes; in calendar mode the dates move further ahead too. Each
later row comes back twice, with different contents, so that counts and numbers of distinct values
notice as well. A points balance is a snapshot of the past and the future together, so it moves by
what the scrambled points move.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import Field, StringConstraints
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedKFold

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, LeakageError, did_you_mean
from clientela.features.transactions import CUTOFF, Cutoff, add_cutoff
from clientela.settings_base import FrozenSettings

# what the two copies of a later row hold: unlike real rows, and unlike each other
FUTURE: dict[str, tuple[str | Decimal | int, str | Decimal | int]] = {
    "rubro": ("rubro del futuro", "otro rubro del futuro"),
    "valor_transaccion": (Decimal("-7.77"), Decimal("123456789.01")),
    "puntos": (-13, 3707),
    "tipo_transaccion": ("TIPO DEL FUTURO", "OTRO TIPO DEL FUTURO"),
}


def scramble_transactions(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The transactions with every row at or past its cutoff rewritten, twice.

    Returns:
        The same columns; rows before the cutoff untouched, two rows for each later one.
    """
    dated = add_cutoff(transactions, cutoff)
    copies = (dated["fecha"] >= dated[CUTOFF]).ifelse(ibis.array([1, 2]), ibis.array([0]))
    copied = dated.mutate(_copy=copies.unnest())
    changed: dict[str, ir.Value] = {}
    for name, values in FUTURE.items():
        column = copied[name]
        first, second = (ibis.literal(value).cast(column.type()) for value in values)
        changed[name] = copied["_copy"].cases((1, first), (2, second), else_=column)
    if cutoff.mode == "calendar":
        moved = copied["fecha"] + ibis.interval(days=45)
        changed["fecha"] = (copied["_copy"] > 0).ifelse(moved, copied["fecha"])
    return copied.mutate(**changed).drop(CUTOFF, "_copy")


def scramble_customers(transactions: ir.Table, customers: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The customers with balances that explain the scrambled points.

    Returns:
        The same rows; `saldo_puntos` moved by the difference of the scrambled points.
    """
    dated = add_cutoff(transactions, cutoff)
    later = dated["fecha"] >= dated[CUTOFF]
    first, second = FUTURE["puntos"]
    difference = ibis.literal(first) + ibis.literal(second) - dated["puntos"].fill_null(0)
    moved = dated.group_by("id_cliente").agg(_moved=difference.sum(where=later))
    joined = customers.left_join(moved, "id_cliente", rname="{name}_right")
    balance = joined["saldo_puntos"] + joined["_moved"].fill_null(0)
    return joined.mutate(saldo_puntos=balance.cast("int64")).select(customers.columns)


def compute_concordance(feature: ArrayLike, codes: ArrayLike) -> float:
    """Probability that of two rows of different classes the feature ranks the higher class higher.

    Ties count half. For two classes this is ROC-AUC; for more, the mean over all pairs of classes,
    weighted by the pairs of rows (Harrell's c). A feature that orders the target backwards is as
    telling, so the larger of c and 1 - c is returned.

    Returns:
        .5 (nothing) to 1 (the order of the target itself).
    """
    values, classes = np.asarray(feature, dtype=float), np.asarray(codes)
    concordant = pairs = 0.0
    for lower, higher in combinations(np.unique(classes), 2):
        below, above = values[classes == lower], values[classes == higher]
        # the Mann-Whitney U of the higher class
        ranks = rankdata(np.concatenate([below, above]))
        concordant += float(ranks[len(below) :].sum() - len(above) * (len(above) + 1) / 2)
        pairs += len(below) * len(above)
    if pairs == 0:
        return 0.5
    share = concordant / pairs
    return float(max(share, 1 - share))


# Folds over which words are encoded, so that no row takes part in its own encoding.
FOLDS = 5

# Rows of each class that must have a value before the rows with a value are judged alone.
FEWEST_PER_CLASS = 30


def compute_feature_concordances(
    features: pd.DataFrame, codes: ArrayLike, words: Collection[str] = (), seed: int = 0
) -> "pd.Series[float]":
    """The concordance of each feature with the target.

    A number with gaps is judged with its gaps as lowest and as highest value, and without the rows
    that lack it, and the most telling figure counts: being absent may tell the target too. A word
    counts as the share of the positive class among the other folds' rows with that word.

    Args:
        features: One column per feature, rows in the order of a unique key.
        codes: The ordered class of each row; 0 or 1 where features have words or gaps.

    Returns:
        Feature to concordance, the most telling first, ties by name.
    """
    classes = np.asarray(codes)
    concordance = {
        str(name): compute_concordance(_encode_words(features[name], classes, seed), classes)
        if name in words
        else _compute_number_concordance(features[name].to_numpy(dtype=np.float64), classes)
        for name in features
    }
    series = pd.Series(concordance, dtype=float).sort_index()
    return series.sort_values(ascending=False, kind="stable")


def _compute_number_concordance(values: Floats, codes: Codes) -> float:
    known = ~np.isnan(values)
    if known.all():
        return compute_concordance(values, codes)
    readings = [
        compute_concordance(np.where(known, values, filler), codes) for filler in (-np.inf, np.inf)
    ]
    if np.bincount(codes[known], minlength=2).min() >= FEWEST_PER_CLASS:
        readings.append(compute_concordance(values[known], codes[known]))
    return max(readings)


def _encode_words(words: "pd.Series[str]", codes: Codes, seed: int) -> Floats:
    """The share of class 1 in each row's word, over the other folds; the overall share if new."""
    places, _ = pd.factorize(words, use_na_sentinel=False)
    size, encoded = int(places.max()) + 1, np.empty(len(codes))
    folds = min(FOLDS, int(np.bincount(codes, minlength=2).min()))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for learn, held_out in splitter.split(codes, codes):
        rows = np.bincount(places[learn], minlength=size)
        ones = np.bincount(places[learn], weights=codes[learn], minlength=size)
        # one further row with the overall share keeps words that are new or rare from certainty
        shares = (ones + codes[learn].mean()) / (rows + 1)
        encoded[held_out] = shares[places[held_out]]
    return encoded


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class LeakageRules(FrozenSettings):
    """When a feature is refused.

    Attributes:
        concordance_limit: A feature that alone orders the target better than this is refused.
        allowed: Feature to the reason why a person allows it all the same.
        after_decision: Column to the reason why its value is not known when the decision is taken:
            a feature made of it is refused.
    """

    concordance_limit: float = Field(default=0.95, gt=0.5, le=1)
    allowed: dict[str, Reason] = {}
    after_decision: dict[str, Reason] = {}


def require_known_names(
    rules: LeakageRules, *, features: Iterable[str], columns: Iterable[str]
) -> None:
    """Refuse rules about names that do not exist: a misspelt one would leave the gate open.

    Args:
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
        changed_rows: Feature to the customers whose value changed when the future was scrambled;
            None where a use case has no cutoff.
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
        "sentence": _summarize_leakage(refused, tolerated, changed_rows, rows),
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


def _summarize_leakage(
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

    Raises:
        LeakageError: Names the features and what can be done.
    """
    if not report["refused"]:
        return
    causes = []
    for name in report["refused"]:
        changed = report["sees_the_future"].get(name)
        late = report.get("after_decision", {}).get(name)
        if changed is not None:
            cause = f"changed for {changed} customers when the future was scrambled"
        elif late is not None:
            cause = f"not known when the decision is taken: {late}"
        else:
            concordance, limit = report["suspicious"][name], report["concordance_limit"]
            cause = f"alone orders the target with concordance {concordance:.3f}, limit {limit}"
        causes.append(f"{name} ({cause})")
    raise LeakageError(
        f"Features that know too much: {'; '.join(causes)}. Remove them, mend how they are "
        "computed, or allow one by name with a reason: "
        "leakage: {allowed: {<feature>: <reason>}}."
    )
