"""What monitoring found, period after period."""

import pandas as pd


def of_latest_baseline(log: pd.DataFrame) -> pd.DataFrame:
    """The periods that were compared with the baseline of the latest one.

    Args:
        log: One row per period and baseline, in the order of time.

    Returns:
        Rows of the log: figures against different baselines make no line.
    """
    if log.empty:
        return log
    same: pd.DataFrame = log[log["baseline"] == log["baseline"].iloc[-1]]
    return same.reset_index(drop=True)


def average_psi(log: pd.DataFrame) -> pd.DataFrame:
    """One row per period and way of averaging.

    Args:
        log: One row per period.

    Returns:
        `period`, `n` (rows), `line` (`average`, `weighted`), `psi`; without those that were not
        measured.
    """
    wide = log[["period", "n", "avg_psi", "weighted_psi"]]
    return (
        wide.rename(columns={"avg_psi": "average", "weighted_psi": "weighted"})
        .melt(["period", "n"], var_name="line", value_name="psi")
        .astype({"psi": "float64"})
        .dropna(subset="psi")
        .reset_index(drop=True)
    )


def performance(log: pd.DataFrame) -> pd.DataFrame:
    """One row per period and kind of performance.

    Args:
        log: One row per period.

    Returns:
        `period`, `measure`, `kind` (`estimated`, `realised`), `value`, `n` (rows that it rests
        on); known ones only.
    """
    kinds = [
        log[["period", "measure"]].assign(kind=kind, value=log[kind].astype("float64"), n=log[rows])
        for kind, rows in (("estimated", "n"), ("realised", "n_realised"))
    ]
    return pd.concat(kinds).dropna(subset="value").reset_index(drop=True)


def severity_map(by_period: pd.DataFrame, features: list[str]) -> pd.DataFrame:
    """One row per period and column, of columns worth a row in a map.

    Args:
        by_period: One row per period and column.
        features: In the order in which they are shown.

    Returns:
        `period`, `feature`, `place` (of the feature), `severity`, `psi`.
    """
    chosen = by_period[by_period["feature"].isin(features)]
    return chosen[["period", "feature", "severity", "psi"]].assign(
        place=chosen["feature"].map(features.index)
    )


def with_red(log: pd.DataFrame) -> pd.DataFrame:
    """The periods that had something critical, latest first.

    Args:
        log: One row per period and baseline, in the order of time.

    Returns:
        `period`, `level`, `state`, `recommendation`, `pct_red`, `red_columns` (names).
    """
    rows = log[(log["red"] > 0) | (log["level"] == "critical")].iloc[::-1]
    columns = ["period", "level", "state", "recommendation", "pct_red"]
    return (
        rows[columns]
        .assign(red_columns=rows["red_features"].str.replace(";", ", "))
        .reset_index(drop=True)
    )
