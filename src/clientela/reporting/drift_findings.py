"""What can be said about a watched column: a severity, a reason code, and a sentence for people.

A change counts when it is large and hardly chance. A chi-square test pools cells of few expected
rows, so eleven values that are all missing would look like nothing; the tests of rates here are
exact, and few rows are enough where the change is plain.
"""

import math
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from scipy.stats import chi2, false_discovery_control, fisher_exact, nbinom

from clientela.settings_base import FrozenSettings
from clientela.text import NumberFormat

Severity: TypeAlias = Literal["ROJO", "AMARILLO", "INSUFICIENTE", "VERDE"]

# Worst first: the order of every table that people read.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class EffectSizes(FrozenSettings):
    """The sizes of one kind of change that matter."""

    watch: PositiveFloat
    alarm: PositiveFloat

    @model_validator(mode="after")
    def _validate_effect_order(self) -> Self:
        if self.watch > self.alarm:
            raise ValueError(
                f"watch should not exceed alarm; got watch {self.watch} and alarm {self.alarm}"
            )
        return self


class DriftThresholds(FrozenSettings):
    """When a column is ROJO, AMARILLO, INSUFICIENTE or VERDE.

    Attributes:
        psi: Population stability index; .1 and .25 are the usual limits of credit scoring
            (Siddiqi 2006).
        missing: Change of the share of missing values, up or down.
        new: Share of rows with a category that the baseline never had.
        out_of_range: Share of rows beyond the baseline's smallest and largest value.
        q: A change counts when its Benjamini-Hochberg q lies below this.
        minimum_rows: With fewer rows, now or in the baseline, nothing is said about a column.
    """

    psi: EffectSizes = EffectSizes(watch=0.1, alarm=0.25)
    missing: EffectSizes = EffectSizes(watch=0.05, alarm=0.2)
    new: EffectSizes = EffectSizes(watch=0.01, alarm=0.05)
    out_of_range: EffectSizes = EffectSizes(watch=0.01, alarm=0.05)
    q: float = Field(default=0.01, gt=0, lt=1)
    minimum_rows: PositiveInt = 10

    def level(self, kind: EffectSizes, effect: float, q: float) -> Severity:
        """What one change amounts to: it must be large, and hardly chance.

        Args:
            q: Its Benjamini-Hochberg q; missing where there was nothing to test.

        Returns:
            ROJO, AMARILLO, or VERDE where it is small or may be chance.
        """
        if not (q < self.q and effect >= kind.watch):
            return "VERDE"
        return "ROJO" if effect >= kind.alarm else "AMARILLO"


RATE_TESTS = ("q_missing", "q_new", "q_out_of_range")


def compute_rate_q_values(table: pd.DataFrame) -> pd.DataFrame:
    """One row per column of the data: how surely its rates have changed.

    All tests of a table are one family of Benjamini and Hochberg (1995).

    Returns:
        `q_missing`, `q_new`, `q_out_of_range` (0..1) with the index of `table`; missing where a
        rate was not measured.
    """
    p = np.array([_compute_p_values(row) for row in table.to_dict("records")], dtype=np.float64)
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return pd.DataFrame(q.reshape(-1, len(RATE_TESTS)), table.index, list(RATE_TESTS))


def _compute_p_values(row: dict[Hashable, Any]) -> tuple[float, float, float]:
    n, n_baseline = int(row["n"]), int(row["n_baseline"])
    if n == 0 or n_baseline == 0:
        return np.nan, np.nan, np.nan
    return (
        compute_rate_change_p_value(
            row["missing_rate"], n, row["missing_rate_baseline"], n_baseline
        ),
        compute_new_values_p_value(row["new_rate"], n, n_baseline),
        compute_out_of_range_p_value(row["out_of_range_rate"], n, n_baseline),
    )


def compute_rate_change_p_value(
    rate: float, n: int, rate_baseline: float, n_baseline: int
) -> float:
    """Probability of two shares at least as different, were they one (Fisher's exact test)."""
    if not np.isfinite(rate + rate_baseline):
        return np.nan
    counts: NDArray[np.int64] = np.rint([rate * n, rate_baseline * n_baseline]).astype(np.int64)
    return float(fisher_exact(np.column_stack([counts, [n, n_baseline] - counts])).pvalue)


def compute_new_values_p_value(rate: float, n: int, n_baseline: int) -> float:
    """Probability of so many values of a kind that the baseline has none of (Fisher, one-sided)."""
    if not np.isfinite(rate):
        return np.nan
    new = round(rate * n)
    counts = [[new, n - new], [0, n_baseline]]
    return float(fisher_exact(counts, alternative="greater").pvalue)


def compute_out_of_range_p_value(rate: float, n: int, n_baseline: int) -> float:
    """Probability of so many values below the smallest or above the largest of the baseline.

    How many of n new values exceed the largest of N old ones is geometric with ratio n / (N + n)
    for large N, whatever the distribution (exceedances: Gumbel and von Schelling 1950); both ends
    together are negative binomial. Ties make it rarer still.
    """
    if not np.isfinite(rate):
        return np.nan
    return float(nbinom.sf(round(rate * n) - 1, 2, n_baseline / (n + n_baseline)))


NUMBERS = NumberFormat()
# As in `psi_noise` of the drift table.
NOISE_QUANTILE = 0.99
# Reasons that speak of a broken source rather than of another population.
NO_LONGER_MEASURED = frozenset({"all_missing", "more_missing", "constant_changed", "one_value"})


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter with a column.

    Attributes:
        es: For people, in Spanish; rates and counts only, never a value of the data.
    """

    severity: Severity
    reason: str
    es: str
    en: str


@dataclass(frozen=True)
class ColumnMetrics:
    """What was measured on one column; rates are shares of rows, missing where not measured.

    Attributes:
        q: Of the chi-square test of the whole distribution.
        psi_noise: The 99 % quantile of `psi` without drift.
        new_rate: Share of categories that the baseline never had.
        q_missing: Of the change of the missing rate.
        constant: Whether the baseline holds one value only.
        one_value: Whether all rows hold one value now, and the baseline does not.
    """

    n: int
    n_baseline: int
    psi: float
    q: float
    psi_noise: float
    missing_rate: float
    missing_rate_baseline: float
    new_rate: float
    out_of_range_rate: float
    q_missing: float
    q_new: float
    q_out_of_range: float
    constant: bool
    one_value: bool

    @property
    def noise(self) -> float:
        """The PSI that chance alone reaches; that of two cells at least, also for a constant."""
        sizes = 1 / self.n + 1 / self.n_baseline
        least = float(chi2.ppf(NOISE_QUANTILE, 1)) * sizes
        return least if math.isnan(self.psi_noise) else max(least, self.psi_noise)


def evaluate_column(column: ColumnMetrics, limits: DriftThresholds) -> list[Finding]:
    """Everything that decides the severity of one column: findings of one severity.

    Returns:
        At least one finding, the one that names the cause best first.
    """
    if min(column.n, column.n_baseline) < limits.minimum_rows:
        es = f"Hay {column.n} filas, y {column.n_baseline} en la base; se necesitan"
        en = f"There are {column.n} rows, and {column.n_baseline} in the baseline;"
        reason = "few_rows" if min(column.n, column.n_baseline) else "no_rows"
        needed = limits.minimum_rows
        return [Finding("INSUFICIENTE", reason, f"{es} {needed}.", f"{en} {needed} are needed.")]
    # causes before their effect: a PSI also grows when values are missing or new
    measured = [
        _check_missing_rate(column, limits),
        *_check_foreign_values(column, limits),
        _check_distribution(column, limits),
    ]
    changes = [found for found in measured if found.severity != "VERDE"]
    if not changes:
        return [_report_no_change(column, limits)]
    worst = min((found.severity for found in changes), key=SEVERITIES.index)
    return [found for found in changes if found.severity == worst]


def _check_missing_rate(column: ColumnMetrics, limits: DriftThresholds) -> Finding:
    now, before = column.missing_rate, column.missing_rate_baseline
    level = limits.level(limits.missing, abs(now - before), column.q_missing)
    es = f"Falta en el {NUMBERS.percent(now)} de las filas; antes en el {NUMBERS.percent(before)}."
    en = f"Missing in {now:.1%} of the rows; {before:.1%} before."
    if now == 1 and before < 1 and column.q_missing < limits.q:
        # nothing is left of the column, however rarely it was there before
        return Finding("ROJO", "all_missing", es, en)
    return Finding(level, "more_missing" if now > before else "fewer_missing", es, en)


def _check_foreign_values(column: ColumnMetrics, limits: DriftThresholds) -> Iterator[Finding]:
    share = column.new_rate
    yield Finding(
        limits.level(limits.new, share, column.q_new),
        "constant_changed" if column.constant else "new_values",
        f"El {NUMBERS.percent(share)} de las filas trae categorías que antes no existían.",
        f"{share:.1%} of the rows hold categories that did not exist before.",
    )
    share = column.out_of_range_rate
    yield Finding(
        limits.level(limits.out_of_range, share, column.q_out_of_range),
        "constant_changed" if column.constant else "out_of_range",
        f"El {NUMBERS.percent(share)} de las filas queda fuera del rango histórico.",
        f"{share:.1%} of the rows lie outside the historical range.",
    )


def _check_distribution(column: ColumnMetrics, limits: DriftThresholds) -> Finding:
    if column.one_value:
        return Finding(
            limits.level(limits.psi, column.psi, column.q),
            "one_value",
            f"Todas las filas traen el mismo valor; antes variaba (PSI "
            f"{NUMBERS.text(column.psi, 3)}).",
            f"All rows hold one value; it varied before (PSI {column.psi:.3f}).",
        )
    return Finding(
        limits.level(limits.psi, column.psi, column.q),
        "distribution_shifted",
        f"La distribución cambió: PSI {NUMBERS.text(column.psi, 3)}; por azar llegaría a "
        f"{NUMBERS.text(column.noise, 3)}.",
        f"The distribution moved: PSI {column.psi:.3f}; chance alone reaches {column.noise:.3f}.",
    )


def _report_no_change(column: ColumnMetrics, limits: DriftThresholds) -> Finding:
    """Green only where a drift worth watching would have been seen."""
    if math.isnan(column.psi):
        return Finding(
            "INSUFICIENTE", "not_measured", "No se pudo medir.", "It could not be measured."
        )
    psi, noise = NUMBERS.text(column.psi, 3), NUMBERS.text(column.noise, 3)
    if column.noise > limits.psi.watch or column.psi >= limits.psi.watch:
        return Finding(
            "INSUFICIENTE",
            "not_proven",
            f"PSI {psi}, pero con {column.n} filas el azar llega a {noise}: no se puede decir.",
            f"PSI {column.psi:.3f}, but with {column.n} rows chance reaches {column.noise:.3f}: "
            "it can't be told.",
        )
    return Finding(
        "VERDE",
        "stable",
        f"Estable: PSI {psi}.",
        f"Stable: PSI {column.psi:.3f}.",
    )


BEFORE_SEVERITY = "cramers_v"
MEASURED = [field.name for field in fields(ColumnMetrics)]


def assign_severity(
    table: pd.DataFrame,
    thresholds: DriftThresholds,
    constant: Collection[str] = (),
    one_value: Collection[str] = (),
) -> pd.DataFrame:
    """One row per column of the data, with its severity and the reason for it.

    | severity     | when                                                                        |
    |--------------|-----------------------------------------------------------------------------|
    | ROJO         | a change of PSI, missing, new or out-of-range rate is at or above `alarm`    |
    |              | and its q below `q`; or every value is missing and was not before            |
    | AMARILLO     | the same from `watch` on                                                     |
    | INSUFICIENTE | fewer rows than `minimum_rows`; or no change is proven, but the PSI, or what |
    |              | chance alone reaches with so few rows, is `watch` or more                    |
    | VERDE        | no change is proven, and one worth watching would have been                  |

    Args:
        constant: Columns that held one value in the baseline.
        one_value: Others that hold one value now.

    Returns:
        The table with `severity` after `cramers_v`, and at its end `reason` (a code), `sentence_es`
        and `sentence_en` (no values of the data in them); ROJO first, VERDE last, within a severity
        by falling PSI, then by name.
    """
    measured = table.join(compute_rate_q_values(table))
    measured = measured.assign(
        constant=measured["feature"].isin(list(constant)),
        one_value=measured["feature"].isin(list(one_value)),
    )
    found = [
        evaluate_column(ColumnMetrics(*row), thresholds)
        for row in measured[MEASURED].itertuples(index=False, name=None)
    ]
    judged = table.assign(
        reason=[each[0].reason for each in found],
        sentence_es=[" ".join(finding.es for finding in each) for each in found],
        sentence_en=[" ".join(finding.en for finding in each) for each in found],
    )
    judged.insert(
        list(judged).index(BEFORE_SEVERITY) + 1, "severity", [each[0].severity for each in found]
    )
    return sort_by_severity(judged)


def sort_by_severity(judged: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table with severities in the order in which they ask for attention."""
    rank = judged["severity"].map(SEVERITIES.index)
    return (
        judged.assign(rank=rank)
        .sort_values(["rank", "psi", "feature"], ascending=[True, False, True])
        .drop(columns="rank")
        .reset_index(drop=True)
    )
