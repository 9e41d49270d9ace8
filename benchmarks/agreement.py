"""Whether two variants gave the same answer: counts and amounts exactly, quotients to 1e-9.

Called as `agreement.py <expected> <found>`; ends with an error that says what differs.
"""

import sys
from pathlib import Path

import pandas as pd

KEY = "id_cliente"
# Logarithms and quotients differ in the last digit between libraries; everything else is exact.
ROUNDED = ("log_", "pct_", "avg_")
TOLERANCE = 1e-9


def differences(expected: Path, found: Path) -> list[str]:
    """What differs between two results, without naming customers.

    Args:
        expected: A Parquet file, or a folder of them.
        found: The same.

    Returns:
        One sentence per difference; empty when they agree.
    """
    left, right = _result(expected), _result(found)
    if set(left.columns) != set(right.columns):
        return [f"columns differ: {sorted(set(left.columns) ^ set(right.columns))}"]
    if not left[KEY].is_unique or list(left[KEY]) != list(right[KEY]):
        return [f"{KEY} differs, or is not unique: {len(left)} rows and {len(right)}"]
    deviating = {name: _deviating(left[name], right[name], name) for name in left if name != KEY}
    return [f"{name}: {rows} rows differ" for name, rows in deviating.items() if rows]


def _result(place: Path) -> pd.DataFrame:
    """The rows as they lie in each file; every file must be ordered by the key."""
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    parts = [pd.read_parquet(file) for file in files]
    if not all(part[KEY].is_monotonic_increasing for part in parts):
        raise ValueError(f"{place.name}: not ordered by {KEY}")
    return pd.concat(parts).sort_values(KEY, ignore_index=True)


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
