"""What can be said about one column: a severity, a reason code, and a sentence for people."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.stats import chi2

from clientela.drift.thresholds import SEVERITIES, DriftThresholds, Severity
from clientela.reports.numbers import NumberFormat

NUMBERS = NumberFormat()
NOISE_QUANTILE = 0.99
"""As in `psi_noise` of the drift table."""
NO_LONGER_MEASURED = frozenset({"all_missing", "more_missing", "constant_changed"})
"""Reasons that speak of a broken source rather than of another population."""


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter with a column.

    Attributes:
        severity: How bad it is.
        reason: Its code.
        es: For people, in Spanish; rates and counts only, never a value of the data.
        en: The same in English.
    """

    severity: Severity
    reason: str
    es: str
    en: str


@dataclass(frozen=True)
class ColumnEvidence:
    """What was measured on one column; rates are shares of rows, missing where not measured.

    Attributes:
        n: Rows now.
        n_baseline: Rows of the baseline.
        psi: Population stability index.
        q: Of the chi-square test of the whole distribution.
        psi_noise: The 99 % quantile of `psi` without drift.
        missing_rate: Share of missing values now.
        missing_rate_baseline: The same in the baseline.
        new_rate: Share of categories that the baseline never had.
        out_of_range_rate: Share beyond the baseline's range.
        q_missing: Of the change of the missing rate.
        q_new: Of the new rate.
        q_out_of_range: Of the out-of-range rate.
        constant: Whether the baseline holds one value only.
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

    @property
    def noise(self) -> float:
        """The PSI that chance alone reaches; that of two cells at least, also for a constant."""
        sizes = 1 / self.n + 1 / self.n_baseline
        least = float(chi2.ppf(NOISE_QUANTILE, 1)) * sizes
        return least if math.isnan(self.psi_noise) else max(least, self.psi_noise)


def column_findings(column: ColumnEvidence, limits: DriftThresholds) -> list[Finding]:
    """Everything that decides the severity of one column: findings of one severity.

    Args:
        column: What was measured.
        limits: What counts.

    Returns:
        At least one finding, the one that names the cause best first.
    """
    if min(column.n, column.n_baseline) < limits.minimum_rows:
        return [_few_rows(column, limits)]
    changes = [found for found in _changes(column, limits) if found.severity != "VERDE"]
    if not changes:
        return [_without_change(column, limits)]
    worst = min((found.severity for found in changes), key=SEVERITIES.index)
    return [found for found in changes if found.severity == worst]


def _changes(column: ColumnEvidence, limits: DriftThresholds) -> Iterator[Finding]:
    """Causes before their effect: a PSI also grows when values are missing or new."""
    yield _missing(column, limits)
    yield from _foreign_values(column, limits)
    yield _distribution(column, limits)


def _missing(column: ColumnEvidence, limits: DriftThresholds) -> Finding:
    now, before = column.missing_rate, column.missing_rate_baseline
    level = limits.level(limits.missing, abs(now - before), column.q_missing)
    es = f"Falta en el {NUMBERS.percent(now)} de las filas; antes en el {NUMBERS.percent(before)}."
    en = f"Missing in {now:.1%} of the rows; {before:.1%} before."
    if now == 1 and before < 1 and column.q_missing < limits.q:
        # nothing is left of the column, however rarely it was there before
        return Finding("ROJO", "all_missing", es, en)
    return Finding(level, "more_missing" if now > before else "fewer_missing", es, en)


def _foreign_values(column: ColumnEvidence, limits: DriftThresholds) -> Iterator[Finding]:
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


def _distribution(column: ColumnEvidence, limits: DriftThresholds) -> Finding:
    return Finding(
        limits.level(limits.psi, column.psi, column.q),
        "distribution_shifted",
        f"La distribución cambió: PSI {NUMBERS.text(column.psi, 3)}; por azar llegaría a "
        f"{NUMBERS.text(column.noise, 3)}.",
        f"The distribution moved: PSI {column.psi:.3f}; chance alone reaches {column.noise:.3f}.",
    )


def _few_rows(column: ColumnEvidence, limits: DriftThresholds) -> Finding:
    return Finding(
        "INSUFICIENTE",
        "few_rows" if min(column.n, column.n_baseline) else "no_rows",
        f"Hay {column.n} filas, y {column.n_baseline} en la base; se necesitan "
        f"{limits.minimum_rows}.",
        f"There are {column.n} rows, and {column.n_baseline} in the baseline; "
        f"{limits.minimum_rows} are needed.",
    )


def _without_change(column: ColumnEvidence, limits: DriftThresholds) -> Finding:
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
