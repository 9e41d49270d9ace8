"""The drift table as people read it: worst columns first, each with its reason."""

from collections.abc import Collection
from dataclasses import fields

import pandas as pd

from clientela.drift.findings import ColumnEvidence, column_findings
from clientela.drift.rate_tests import rate_significance
from clientela.drift.thresholds import SEVERITIES, DriftThresholds

BEFORE_SEVERITY = "cramers_v"
MEASURED = [field.name for field in fields(ColumnEvidence)]


def with_severity(
    table: pd.DataFrame, thresholds: DriftThresholds, constant: Collection[str] = ()
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
        table: A drift table.
        thresholds: What counts.
        constant: Columns of which the baseline holds one value only.

    Returns:
        The table with `severity` after `cramers_v`, and at its end `reason` (a code), `sentence_es`
        and `sentence_en` (no values of the data in them); ROJO first, VERDE last, within a severity
        by falling PSI, then by name.
    """
    measured = table.join(rate_significance(table))
    measured = measured.assign(constant=measured["feature"].isin(list(constant)))
    found = [
        column_findings(ColumnEvidence(*row), thresholds)
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
    return worst_first(judged)


def worst_first(judged: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table with severities in the order in which they ask for attention.

    Args:
        judged: `severity`, `psi`, `feature`.

    Returns:
        The same rows, numbered anew.
    """
    rank = judged["severity"].map(SEVERITIES.index)
    return (
        judged.assign(rank=rank)
        .sort_values(["rank", "psi", "feature"], ascending=[True, False, True])
        .drop(columns="rank")
        .reset_index(drop=True)
    )
