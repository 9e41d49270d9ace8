"""Whether two variants gave the same answer: counts and amounts exactly, quotients to 1e-9.

Clusters agree when at most one customer in ten thousand is elsewhere: scikit-learn stops when
centres nearly stand still, ours are the exact means of the last round, and who sits on a border
may fall to either side.

Called as `agreement.py <expected> <found>`; ends with an error that says what differs. The first
column of what is expected is the key.
"""

import sys
from pathlib import Path

import pandas as pd

# Logarithms and quotients differ in the last digit between libraries; everything else is exact.
ROUNDED = ("log_", "pct_", "avg_")
TOLERANCE = 1e-9
BORDER_SHARE = {"cluster": 1e-4}


def differences(expected: Path, found: Path) -> list[str]:
    """What differs between two results, without naming customers.

    Args:
        expected: A Parquet file, or a folder of them.
        found: The same.

    Returns:
        One sentence per difference; empty when they agree.
    """
    key, *others = _parts(expected)[0].columns
    left, right = _result(expected, key), _result(found, key)
    if set(left.columns) != set(right.columns):
        return [f"columns differ: {sorted(set(left.columns) ^ set(right.columns))}"]
    if not left[key].is_unique or list(left[key]) != list(right[key]):
        return [f"{key} differs, or is not unique: {len(left)} rows and {len(right)}"]
    deviating = {name: _deviating(left[name], right[name], name) for name in others}
    return [
        f"{name}: {rows} rows differ"
        for name, rows in deviating.items()
        if rows > BORDER_SHARE.get(name, 0) * len(left)
    ]


def _result(place: Path, key: str) -> pd.DataFrame:
    """The rows as they lie in each file; every file must be ordered by the key."""
    parts = _parts(place)
    if not all(part[key].is_monotonic_increasing for part in parts):
        raise ValueError(f"{place.name}: not ordered by {key}")
    return pd.concat(parts).sort_values(key, ignore_index=True)


def _parts(place: Path) -> list[pd.DataFrame]:
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    return [pd.read_parquet(file) for file in files]


def _deviating(left: pd.Series, right: pd.Series, name: str) -> int:
    if name.startswith(ROUNDED):
        agreeing = (left - right).abs() <= TOLERANCE * left.abs()
    else:
        agreeing = left == right
    return int((~agreeing).sum())


if __name__ == "__main__":
    expected, found = Path(sys.argv[1]), Path(sys.argv[2])
    if sentences := differences(expected, found):
        sys.exit("\n".join([f"{found.name} differs from {expected.name}:", *sentences]))
