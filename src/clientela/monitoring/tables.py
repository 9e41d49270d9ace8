"""The tables that monitoring leaves for people and for the dashboard; no rows of the data."""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd

from clientela.drift.classic import classic_table
from clientela.drift.contributions import bin_contributions
from clientela.drift.counts import Counts
from clientela.drift.drift_table import COLUMNS
from clientela.drift.log_row import LOG_COLUMNS, LogRow
from clientela.drift.profile import BaselineProfile
from clientela.exceptions import MonitoringLogError
from clientela.monitoring.comparison import Comparison
from clientela.monitoring.settings import MonitoringSettings

FIRST = ("feature", "type", "psi", "ks", "js", "cramers_v", "severity")
LATEST = (*FIRST, *COLUMNS[6:], "reason", "sentence_es", "sentence_en")
CLASSIC = ("psi_classic", "ks_classic", "js_classic")
RATES = ("missing_rate", "new_rate", "out_of_range_rate", "n")
BY_PERIOD = ("period", "feature", "type", "psi", "ks", "js", "severity", *RATES)
BY_SEGMENT = ("period", "segment_column", "segment", "feature", "psi", "ks", "severity", "n")
BINS = (
    *("feature", "type", "cell", "kind", "lower", "upper", "value"),
    *("baseline_share", "current_share", "contribution"),
)


def latest_metrics(latest: Comparison | None, settings: MonitoringSettings) -> pd.DataFrame:
    """One row per watched column: the latest period, worst first.

    Args:
        latest: The latest period; None when there is none.
        settings: Whether to add the classic figures.

    Returns:
        `feature, type, psi, ks, js, cramers_v, severity`, the further figures, `reason`,
        `sentence_es`, `sentence_en`; and `psi_classic, ks_classic, js_classic` if wanted.
    """
    columns = [*LATEST, *(CLASSIC if settings.compat else ())]
    if latest is None:
        return pd.DataFrame(columns=columns)
    if not settings.compat:
        return latest.judged[columns]
    classic = classic_table(latest.profile, latest.counted, settings.drift, latest.exact)
    renamed = classic.rename(columns={name: f"{name}_classic" for name in ("psi", "ks", "js")})
    return latest.judged.merge(renamed, on="feature", how="left")[columns]


def by_period(compared: Sequence[Comparison]) -> pd.DataFrame:
    """One row per period and watched column, in the order of time, then by name.

    Args:
        compared: The periods of this run.

    Returns:
        `period, feature, type, psi, ks, js, severity, missing_rate, new_rate, out_of_range_rate,
        n`.
    """
    tables = [
        each.judged.assign(period=each.run.period).sort_values("feature") for each in compared
    ]
    return _together(tables, BY_PERIOD)


def by_segment(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per period, part of the rows, and column compared within it.

    Args:
        tables: See `clientela.monitoring.comparison.segment_tables`.

    Returns:
        `period, segment_column, segment, feature, psi, ks, severity, n`.
    """
    return _together([table.sort_values("feature") for table in tables], BY_SEGMENT)


def bin_shares(latest: Comparison | None, settings: MonitoringSettings) -> pd.DataFrame:
    """One row per watched column and cell of it: where the rows lay, and where they lie.

    Args:
        latest: The latest period; None when there is none.
        settings: How distributions are compared.

    Returns:
        `feature, type, cell` (its number), `kind` (`bin`, `value`, `other`, `new`, `missing`),
        `lower` and `upper` of a bin (empty where it is open), `value` of a category or heavy
        number, `baseline_share`, `current_share`, `contribution` to PSI.
    """
    if latest is None:
        return pd.DataFrame(columns=list(BINS))
    compared = sorted(latest.judged["feature"])
    found = [_bins(name, *latest.compared_as(name), settings) for name in compared]
    return _together(found, BINS)


def _bins(
    name: str, profile: BaselineProfile, counted: Counts, settings: MonitoringSettings
) -> pd.DataFrame:
    cells = bin_contributions(profile, counted, name, settings.drift)
    return cells.rename(columns={"psi": "contribution"}).assign(
        feature=name,
        type=profile.columns[name].type,
        cell=np.arange(len(cells)),
        kind=cells["kind"].replace({"interval": "bin"}),
    )


def log_frame(log: Sequence[LogRow]) -> pd.DataFrame:
    """One row per period and baseline, cells as the log writes them.

    Args:
        log: Its rows, in order.

    Returns:
        Texts, so that a CSV writer adds nothing of its own.
    """
    return pd.DataFrame([row.cells() for row in log], columns=list(LOG_COLUMNS), dtype="str")


def continued(former: str, table: pd.DataFrame, what: str) -> pd.DataFrame:
    """A table over time with the periods of this run in it; former lines stay to the last byte.

    Args:
        former: The text of the file; empty before the first run.
        table: The periods of this run.
        what: Name of the file, for the error.

    Returns:
        Texts: former periods that this run did not measure, and those that it did.

    Raises:
        MonitoringLogError: The file was cut short, or has other columns.
    """
    new = _cells(table.to_csv(index=False, lineterminator="\n"))
    if not former:
        return new
    header = former.partition("\n")[0]
    if header != ",".join(table.columns) or not former.endswith("\n"):
        raise MonitoringLogError(
            f"{what} can't be continued: expected the columns {','.join(table.columns)} and a line "
            f"break at its end, but got {header[:200]!r} and {former[-20:]!r}. It was left as it "
            "is. Restore it from a copy, or move it away to begin a new one."
        )
    old = _cells(former)
    kept = old[~old["period"].isin(new["period"])]
    return pd.concat([kept, new]).sort_values("period", kind="stable", ignore_index=True)


def _cells(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)


def _together(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    names = list(columns)
    if not tables:
        return pd.DataFrame(columns=names)
    return pd.concat([table[names] for table in tables], ignore_index=True)
